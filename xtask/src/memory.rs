//! `cargo xtask memory`: a long run whose memory is looked at.
//!
//! The work is done by a program of mt-benches, built for release; this file only starts it.

use anyhow::Result;

use crate::bench;

/// Runs ten million items and looks at the memory of the parent and of every worker.
///
/// When a tenth of the items has passed all is warm; after that no process may grow by 1 MiB. Needs
/// Linux.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask memory                    ten million items in their order, 2 workers
  cargo xtask memory --unordered --json

Ends with an error when a process has grown by 1 MiB or more, or an outcome is wrong.")]
pub(crate) struct Args {
    /// The items, at least 1000
    #[arg(long, default_value_t = 10_000_000)]
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

/// Runs it.
///
/// # Errors
/// When it does not build, or a process has grown.
pub(crate) fn run(args: &Args) -> Result<()> {
    bench::program("memory", arguments(args)).run()
}

fn arguments(args: &Args) -> Vec<String> {
    let mut line = vec![
        format!("--items={}", args.items),
        format!("--workers={}", args.workers),
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

    #[test]
    fn options_reach_the_program() {
        let line = arguments(&parsed("--items 5000 --json"));
        assert_eq!(line.join(" "), "--items=5000 --workers=2 --json");
    }
}
