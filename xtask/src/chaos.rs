//! `cargo xtask chaos`: a run whose workers are killed at random.
//!
//! The work is done by a program of mt-benches, built for release; this file only starts it.

use anyhow::Result;

use crate::bench;

/// Kills workers of a run at random and counts what became of every item.
///
/// Each item must have exactly one outcome, and the right value if any; afterwards nothing must be
/// left: no process, zombie, descriptor, thread or shared memory. Needs Linux.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask chaos                                     a million items, 5 kills a second
  cargo xtask chaos --tasks 20000000 --kills-per-s 50 --workers 8 --unordered --seed 7 --json

A short run has at least five kills: the input waits for them. Ends with an error when an item is
lost or doubled, a value is wrong, something is left behind, or kills were fewer than asked for.")]
pub(crate) struct Args {
    /// The items, at least 1000
    #[arg(long, default_value_t = 1_000_000)]
    tasks: u64,

    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,

    /// Kills per second of run, at least
    #[arg(long, default_value_t = 5, value_name = "K")]
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

/// Runs it.
///
/// # Errors
/// When it does not build, or the run does not pass.
pub(crate) fn run(args: &Args) -> Result<()> {
    bench::program("chaos", arguments(args)).run()
}

fn arguments(args: &Args) -> Vec<String> {
    let mut line = vec![
        format!("--tasks={}", args.tasks),
        format!("--workers={}", args.workers),
        format!("--kills-per-s={}", args.kills_per_s),
        format!("--seed={}", args.seed),
    ];
    line.extend(bench::flags([
        ("--unordered", args.unordered),
        ("--json", args.json),
    ]));
    line
}

#[cfg(test)]
mod tests {
    use super::arguments;
    use crate::bench::parsed;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(arguments(&parsed(line)).join(" "), expected);
    }

    #[test]
    fn options_reach_the_program() {
        check("", "--tasks=1000000 --workers=2 --kills-per-s=5 --seed=1");
        check(
            "--unordered --json --seed 9 --workers 8",
            "--tasks=1000000 --workers=8 --kills-per-s=5 --seed=9 --unordered --json",
        );
    }
}
