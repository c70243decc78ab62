//! `cargo xtask test`: everything that a fresh machine with Rust alone can run.
//!
//! Plain `cargo test` runs the tests of libraries, binaries and `tests/`, compiles the examples as
//! programs, and runs the doc tests. It leaves bench targets alone, which is wanted: a bench run as
//! a test is slow and says nothing.
//!
//! Features are on: a crate that has some names itself, with all of them, among its dev-dependencies, so that
//! nothing is built twice. That it compiles without them shows in `lint`, where rustdoc goes by the defaults.

use std::process::Command;

use crate::{
    moto,
    step::{self, Step},
};

/// Runs all tests: libraries, binaries, integration tests and doc tests; compiles the examples.
///
/// Needs nothing but cargo and rustc, unless moto is asked for. Benches are not run.
#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  cargo xtask test
  cargo xtask test -- retry --nocapture     only tests with `retry` in their names, with output
  cargo xtask test --with-moto              also against another server of S3
  cargo xtask test --nextest                each test in a process of its own")]
pub(crate) struct Args {
    /// Run all but the doc tests with cargo-nextest, which must be installed
    #[arg(long)]
    nextest: bool,

    /// Also run the tests of mt-context's store against moto, another server of S3: needs python3, and the network once
    #[arg(long)]
    with_moto: bool,

    /// Passed on to the test programs: name filters, `--nocapture`, …
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<String>,
}

impl Args {
    /// What `ci` runs: everything.
    pub(crate) fn of_ci() -> Self {
        Self {
            with_moto: true,
            ..Self::default()
        }
    }
}

/// The steps, those of `ci` among them.
pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let commands = commands(args).into_iter();
    let steps = commands.map(|(name, command)| Step::command(name, command));
    steps.chain(args.with_moto.then(moto::step)).collect()
}

fn commands(args: &Args) -> Vec<(&'static str, Command)> {
    let nextest = "nextest run --workspace --no-fail-fast --no-tests=pass";
    let doc_tests = "test --workspace --no-fail-fast --doc";
    let lines = match args.nextest {
        true => vec![("nextest", nextest), ("doc tests", doc_tests)],
        false => vec![("tests", "test --workspace --no-fail-fast")],
    };
    let command = |(name, line)| {
        let mut command = step::cargo(line);
        if !args.rest.is_empty() {
            command.arg("--").args(&args.rest);
        }
        (name, command)
    };
    lines.into_iter().map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::{Args, commands};

    fn check(nextest: bool, rest: &str, expected: &[&str]) {
        let rest = rest.split_whitespace().map(str::to_owned).collect();
        let lines = commands(&Args {
            nextest,
            rest,
            ..Args::default()
        })
        .into_iter()
        .map(|(_, command)| {
            let words = command.get_args().map(|word| word.to_string_lossy());
            words.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn arguments_after_the_dashes_reach_the_test_programs() {
        let test = "test --workspace --no-fail-fast";
        check(false, "", &[test]);
        check(
            false,
            "retry --nocapture",
            &[&format!("{test} -- retry --nocapture")],
        );
        let nextest = "nextest run --workspace --no-fail-fast --no-tests=pass -- retry";
        check(true, "retry", &[nextest, &format!("{test} --doc -- retry")]);
    }
}
