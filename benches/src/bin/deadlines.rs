//! Measures how late calls that never end are gone. `cargo xtask deadlines` builds and starts it.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, value_parser};

/// Measures how late calls that never end are gone.
#[derive(Parser)]
struct Args {
    /// The calls of each kind
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..))]
    calls: u32,
    /// The deadline in milliseconds
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(1..))]
    deadline_ms: u64,
    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,
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
    let report = mt_benches::deadlines::run(mt_benches::deadlines::Plan {
        calls: args.calls,
        deadline: Duration::from_millis(args.deadline_ms),
        workers: args.workers,
    })?;
    mt_benches::show(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(target_os = "linux"))]
fn run(_: &Args) -> Result<ExitCode> {
    anyhow::bail!("whether a process is gone is read from /proc: it needs Linux")
}
