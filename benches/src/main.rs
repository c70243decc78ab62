//! What is measured, as subcommands. `cargo xtask` builds this program and hands its arguments on.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
#[cfg(unix)]
use mt_benches::compare;
use mt_benches::processes;
#[cfg(target_os = "linux")]
use mt_benches::{chaos, deadlines, memory, orphans};

/// Measures, against the limits of this very machine.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    override_usage = "cargo xtask bench [OPTIONS] <COMMAND>",
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Statistics of single functions are criterion's:
  cargo bench --package mt-benches                 a pool in a criterion bench"
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
    #[cfg(unix)]
    Compare(compare::Plan),
    #[cfg(target_os = "linux")]
    Chaos(chaos::Plan),
    #[cfg(target_os = "linux")]
    Memory(memory::Plan),
    #[cfg(target_os = "linux")]
    Deadlines(deadlines::Plan),
    #[cfg(target_os = "linux")]
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
    let report = match command {
        #[cfg(unix)]
        Command::Compare(plan) => compare::run(&plan)?,
        #[cfg(target_os = "linux")]
        Command::Chaos(plan) => chaos::run(plan)?,
        #[cfg(target_os = "linux")]
        Command::Memory(plan) => memory::run(&plan)?,
        #[cfg(target_os = "linux")]
        Command::Deadlines(plan) => deadlines::run(&plan)?,
        #[cfg(target_os = "linux")]
        Command::Orphans(plan) => orphans::run(&plan)?,
        #[cfg(not(target_os = "linux"))]
        Command::Elsewhere(words) => {
            let line = words.join(" ");
            anyhow::bail!("`{line}` needs sockets or processes as Linux has them")
        }
    };
    report.show(json)
}
