//! `cargo xtask bench`: what the machine can do, and what ours does of it.
//!
//! The measuring is a program of mt-benches, built for release; this file only starts it. It knows
//! the rows, so an unknown one is refused there.

use anyhow::Result;

use crate::step::Step;

/// Measures, against the limits of this very machine.
///
/// `compare` runs rows of the comparison: ours and the limit it is held against by turns, in one
/// run, because machines are shared and only ratios of one run mean something. Statistics of single
/// functions are criterion's: `cargo bench`.
#[derive(clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  cargo xtask bench compare                        all rows, as a table
  cargo xtask bench compare --only P1,P2 --json    these rows, one JSON object each
  cargo bench --package mt-benches                 a pool in a criterion bench"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Compare(Compare),
}

/// Measures rows of the comparison against their limits.
#[derive(clap::Args)]
struct Compare {
    /// The rows, by id (P1, P2, …), with commas between; all of them without it
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    only: Vec<String>,

    /// How often each side is run; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    reps: u32,

    /// One JSON object a row in place of a table
    #[arg(long)]
    json: bool,
}

/// Runs a bench.
///
/// # Errors
/// When it does not build, a row is not known, or a run fails. A goal that is missed is no error.
pub(crate) fn run(args: &Args) -> Result<()> {
    let What::Compare(compare) = &args.what;
    program("compare", arguments(compare)).run()
}

/// A step that builds a program of mt-benches for release and runs it.
pub(crate) fn program(name: &'static str, arguments: Vec<String>) -> Step {
    let cargo = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "mt-benches",
        "--bin",
        name,
        "--",
    ];
    let cargo = cargo.into_iter().map(String::from);
    Step::cargo(name, cargo.chain(arguments))
}

/// Of these flags those that are given.
pub(crate) fn flags<const N: usize>(all: [(&str, bool); N]) -> impl Iterator<Item = String> {
    let given = all.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(flag, _)| flag.to_owned())
}

/// The arguments of a command, from the line behind its name.
#[cfg(test)]
pub(crate) fn parsed<A: clap::Args>(line: &str) -> A {
    #[derive(clap::Parser)]
    struct Line<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }
    let words = ["xtask"].into_iter().chain(line.split_whitespace());
    <Line<A> as clap::Parser>::parse_from(words).args
}

fn arguments(compare: &Compare) -> Vec<String> {
    let mut line = vec![format!("--reps={}", compare.reps)];
    if !compare.only.is_empty() {
        line.push(format!("--only={}", compare.only.join(",")));
    }
    line.extend(flags([("--json", compare.json)]));
    line
}

#[cfg(test)]
mod tests {
    use super::{Args, What, arguments, parsed};

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let What::Compare(compare) = parsed::<Args>(line).what;
        assert_eq!(arguments(&compare).join(" "), expected);
    }

    #[test]
    fn options_reach_the_program() {
        check("compare", "--reps=5");
        check(
            "compare --only P1,P2 --json",
            "--reps=5 --only=P1,P2 --json",
        );
        check("compare --reps 9 --only P1", "--reps=9 --only=P1");
    }
}
