//! `cargo xtask bench`, `chaos`, `memory`, `deadlines`, `orphans`: the program `mt-bench`, built for release.
//!
//! What stands behind the name is handed on as it is: the program knows what there is, and its
//! `--help` says it. Only `bench gate` is here: it builds and counts more than that program.

mod accepted;
mod callgrind;
pub(crate) mod gate;

use anyhow::Result;
use clap::Parser;

use crate::step::{self, Step};

/// What the program is given.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Handed on; `--help` says what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) rest: Vec<String>,
}

/// The command line of what is here.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
enum Here {
    Gate(gate::Args),
}

/// Builds the program and runs one of its subcommands; without one, what is in the arguments. A goal of the
/// comparison that is missed is no error.
pub(crate) fn run(subcommand: Option<&'static str>, args: Args) -> Result<()> {
    if subcommand.is_none() && args.rest.first().is_some_and(|name| name == "gate") {
        let words = ["cargo xtask bench".to_owned()].into_iter();
        let Here::Gate(args) = Here::parse_from(words.chain(args.rest));
        return gate::run(&args);
    }
    let mut cargo = step::cargo("run --quiet --release --package mt-benches --bin mt-bench --");
    cargo.args(subcommand).args(args.rest);
    Step::command("bench", cargo).run()
}
