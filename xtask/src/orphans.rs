//! `cargo xtask orphans`: how long what a queen has started lives on when she is killed.
//!
//! The work is done by a program of mt-benches, built for release; this file only starts it.

use anyhow::Result;

use crate::bench;

/// Kills queens with `SIGKILL`, and measures when the last process below them is gone: their bees, the bees of
/// these, and programs that those have started. Needs Linux.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask orphans
  cargo xtask orphans --kills 100 --json")]
pub(crate) struct Args {
    /// The queens to kill
    #[arg(long, default_value_t = 20)]
    kills: u32,

    /// One JSON object in place of text
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// When it does not build, or processes are left.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut line = vec![format!("--kills={}", args.kills)];
    line.extend(bench::flags([("--json", args.json)]));
    bench::program("orphans", line).run()
}
