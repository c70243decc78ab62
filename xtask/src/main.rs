//! `cargo xtask …`: the one door to every check of this workspace.
//!
//! Each subcommand is one file: an `Args` for clap and a `run`. To add one, write the file, then
//! give it a `mod` line, a variant of [`Task`] and an arm in [`main`]. Nothing here depends on our
//! own crates, so the checks run also while those do not compile.

mod bench;
mod chaos;
mod ci;
mod deadlines;
mod lint;
mod memory;
mod orphans;
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
    Lint(lint::Args),
    Tidy(tidy::Args),
    Ci(ci::Args),
    Bench(bench::Args),
    Chaos(chaos::Args),
    Memory(memory::Args),
    Deadlines(deadlines::Args),
    Orphans(orphans::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Lint(args) => lint::run(&args),
        Task::Tidy(args) => tidy::run(&args),
        Task::Ci(args) => ci::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Chaos(args) => chaos::run(&args),
        Task::Memory(args) => memory::run(&args),
        Task::Deadlines(args) => deadlines::run(&args),
        Task::Orphans(args) => orphans::run(&args),
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
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
