//! `cargo xtask …`: the one door to every check of this workspace.
//!
//! Each subcommand is one file: an `Args` for clap, and a `run` or the `steps` it consists of. To add one, write the file, then
//! give it a `mod` line, a variant of [`Task`] and an arm in [`main`]. Nothing here depends on our
//! own crates, so the checks run also while those do not compile.

mod alone;
mod bench;
mod deny;
mod findings;
mod fuzz;
mod lint;
mod moto;
#[cfg(test)]
mod pages;
mod platforms;
mod step;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The one door to every check of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Test(test::Args),
    /// Checks formatting (rustfmt), clippy, the documentation (rustdoc), what may come in from outside (deny.toml) and the architecture rules (tidy)
    ///
    /// Every step runs, also after one has failed. Needs the rustfmt and clippy components.
    Lint,
    Tidy(tidy::Args),
    /// Runs `test`, `fuzz` for 60 s, `bench gate`, then `lint`, and prints how long each step took
    ///
    /// `.ci/run` and the hosted workflow run the same and hold no checks of their own.
    Ci,
    Fuzz(fuzz::Args),
    Platforms(platforms::Args),
    Alone(alone::Args),
    /// Measures, against the limits of this very machine
    Bench(bench::Args),
    /// Kills workers of a run at random and counts what became of every item
    Chaos(bench::Args),
    /// Runs ten million items and looks at the memory of the parent and of every worker
    Memory(bench::Args),
    /// Measures how late calls that never end are gone
    Deadlines(bench::Args),
    /// Measures how long what a queen has started lives on when she is killed
    Orphans(bench::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => step::run_all(test::steps(&args)),
        Task::Lint => step::run_all(lint::steps()),
        Task::Tidy(args) => tidy::run(&args),
        Task::Ci => {
            let tests = test::steps(&test::Args::of_ci()).into_iter();
            let fuzz = std::iter::once(fuzz::step());
            let gate = std::iter::once(bench::gate::step());
            step::run_all(tests.chain(fuzz).chain(gate).chain(lint::steps()).collect())
        }
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Alone(args) => alone::run(&args),
        Task::Platforms(args) => platforms::run(&args),
        Task::Bench(args) => bench::run(None, args),
        Task::Chaos(args) => bench::run(Some("chaos"), args),
        Task::Memory(args) => bench::run(Some("memory"), args),
        Task::Deadlines(args) => bench::run(Some("deadlines"), args),
        Task::Orphans(args) => bench::run(Some("orphans"), args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that returning the error would add: it is about the code
            // checked, not ours.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Task};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_the_bench_program_are_handed_on() {
        for words in ["--help", "compare --only P1,P2 --json", "--seed 9 -- x", ""] {
            let line = format!("xtask bench {words}");
            let cli = Cli::parse_from(line.split_whitespace());
            let Task::Bench(args) = cli.task else {
                panic!("it is the bench");
            };
            assert_eq!(args.rest.join(" "), words);
        }
    }
}
