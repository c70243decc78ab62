//! What is measured, as subcommands. `cargo xtask` builds this program and hands its arguments on.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
#[cfg(target_os = "linux")]
use mt_benches::chaos;
use mt_benches::{compare, deadlines, memory, orphans, processes};

/// Measures, against the limits of this very machine.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    override_usage = "cargo xtask bench [OPTIONS] <COMMAND>",
    after_help = "Statistics of single functions are criterion's:
  cargo bench --package mt-benches --bench pmap    a pool in a criterion bench

Counts that noise cannot move, held against accepted ones:
  cargo xtask bench gate"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// JSON on one line in place of text; of a table a line for each row
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Compare(compare::Plan),
    #[cfg(target_os = "linux")]
    Chaos(chaos::Plan),
    Memory(memory::Plan),
    Deadlines(deadlines::Plan),
    Orphans(orphans::Plan),
    /// What is not there on this system.
    #[cfg(not(target_os = "linux"))]
    #[command(external_subcommand)]
    Elsewhere(Vec<String>),
}

#[mt_beehive::main]
fn main() -> ExitCode {
    // In one line, without the backtrace that returning the error would add.
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    if let Some(done) = processes::run_child() {
        return done.map(|()| ExitCode::SUCCESS);
    }
    let Cli { command, json } = Cli::parse();
    ensure!(
        cfg!(target_os = "linux") || matches!(command, Command::Compare(_)),
        "what looks at processes as Linux has them needs Linux"
    );
    let report = match command {
        Command::Compare(plan) => compare::run(&plan)?,
        #[cfg(target_os = "linux")]
        Command::Chaos(plan) => chaos::run(plan)?,
        Command::Memory(plan) => memory::run(&plan)?,
        Command::Deadlines(plan) => deadlines::run(&plan)?,
        Command::Orphans(plan) => orphans::run(&plan)?,
        #[cfg(not(target_os = "linux"))]
        Command::Elsewhere(words) => anyhow::bail!("no such subcommand: {}", words.join(" ")),
    };
    report.show(json)
}
