//! Kills workers of a run at random and counts what became of every item. `cargo xtask chaos` builds
//! and starts it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, value_parser};

/// Kills workers of a run at random and counts what became of every item.
#[derive(Parser)]
struct Args {
    /// The items
    #[arg(long, default_value_t = 1_000_000, value_parser = value_parser!(u64).range(1000..))]
    tasks: u64,
    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Kills per second of run, at least; five at the very least
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=1000))]
    kills_per_s: u32,
    /// Where the random numbers start
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Take outcomes as they come in place of the order of the items
    #[arg(long)]
    unordered: bool,
    /// One JSON object in place of text
    #[arg(long)]
    json: bool,
}

#[mt_pool::main]
fn main() -> ExitCode {
    mt_benches::end(run(&Args::parse()))
}

#[cfg(target_os = "linux")]
fn run(args: &Args) -> Result<ExitCode> {
    let verdict = mt_benches::chaos::run(mt_benches::chaos::Plan {
        tasks: args.tasks,
        workers: args.workers,
        kills_per_s: args.kills_per_s,
        seed: args.seed,
        ordered: !args.unordered,
    })?;
    mt_benches::show(&verdict, args.json)?;
    Ok(mt_benches::verdict(verdict.passed()))
}

#[cfg(not(target_os = "linux"))]
fn run(_: &Args) -> Result<ExitCode> {
    anyhow::bail!("chaos kills by process descriptors and reads /proc: it needs Linux")
}
