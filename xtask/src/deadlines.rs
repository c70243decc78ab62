//! `cargo xtask deadlines`: how late calls that never end are gone.
//!
//! The work is done by a program of mt-benches, built for release; this file only starts it.

use anyhow::Result;

use crate::bench;

/// Runs calls that never end under a hard deadline, and measures how much later their process is gone and
/// their outcome is here.
///
/// Endless loops and blocking calls, in plain and async functions. Needs Linux.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask deadlines
  cargo xtask deadlines --deadline-ms 1000 --calls 10 --json")]
pub(crate) struct Args {
    /// The calls of each kind
    #[arg(long, default_value_t = 50)]
    calls: u32,

    /// The deadline in milliseconds
    #[arg(long, default_value_t = 100)]
    deadline_ms: u64,

    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,

    /// One JSON object in place of text
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// When it does not build, or a call ends in another way than by its deadline.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut line = vec![
        format!("--calls={}", args.calls),
        format!("--deadline-ms={}", args.deadline_ms),
        format!("--workers={}", args.workers),
    ];
    line.extend(bench::flags([("--json", args.json)]));
    bench::program("deadlines", line).run()
}
