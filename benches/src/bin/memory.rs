//! Looks at the memory of a long run. `cargo xtask memory` builds and starts it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, value_parser};

/// Looks at the memory of a long run.
#[derive(Parser)]
struct Args {
    /// The items
    #[arg(long, default_value_t = 10_000_000, value_parser = value_parser!(u64).range(1000..))]
    items: u64,
    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,
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
    let report = mt_benches::memory::run(mt_benches::memory::Plan {
        items: args.items,
        workers: args.workers,
        ordered: !args.unordered,
    })?;
    mt_benches::show(&report, args.json)?;
    Ok(mt_benches::verdict(report.passed()))
}

#[cfg(not(target_os = "linux"))]
fn run(_: &Args) -> Result<ExitCode> {
    anyhow::bail!("memory is read from /proc: it needs Linux")
}
