//! `cargo xtask …`: the one door to every check of this workspace.
//!
//! Each subcommand is one file: an `Args` for clap, and a `run` or the `steps` it consists of. To add one, write the file, then
//! give it a `mod` line, a variant of [`Task`] and an arm in [`main`]. Nothing here depends on our
//! own crates, so the checks run also while those do not compile.

mod bench;
mod fuzz;
mod lint;
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
    /// Checks formatting (rustfmt), clippy, the documentation (rustdoc) and the architecture rules (tidy)
    ///
    /// Every step runs, also after one has failed. Needs the rustfmt and clippy components.
    Lint,
    Tidy(tidy::Args),
    /// Runs `test`, `fuzz` for 60 s, then `lint`, and prints how long each step took
    ///
    /// `.ci/run` and the hosted workflow run the same and hold no checks of their own.
    Ci,
    Fuzz(fuzz::Args),
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
            let tests = test::steps(&test::Args::default()).into_iter();
            let fuzz = std::iter::once(fuzz::step());
            step::run_all(tests.chain(fuzz).chain(lint::steps()).collect())
        }
        Task::Fuzz(args) => fuzz::run(&args),
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

    use super::{Cli, Task, step};

    /// A file of the repository.
    fn text(path: &str) -> String {
        std::fs::read_to_string(step::root().join(path)).expect(path)
    }

    /// The words that come after `before` in a text.
    fn words_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let rests = text.split(before).skip(1);
        let words = rests.filter_map(|rest| rest.split(is_end).next());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Case R2: Every example and every command that the README names is there, and every command is named there.
    #[test]
    fn what_the_readme_names_is_there() {
        let readme = text("README.md");
        let examples = words_after(&readme, "--example ");
        let packages = words_after(&readme, "cargo run --release -p ");
        assert!(packages.len() > 5 && packages.len() == examples.len());
        for (package, example) in packages.iter().zip(&examples) {
            let folder = step::root().join("crates").join(package).join("examples");
            let file = folder.join(format!("{example}.rs")).exists();
            assert!(
                file || folder.join(example).join("main.rs").exists(),
                "{example}"
            );
        }
        let cli = Cli::command();
        let commands: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).collect();
        let named = words_after(&readme, "cargo xtask ");
        for name in &named {
            assert!(
                commands.contains(name) || *name == "--help",
                "there is no {name}"
            );
        }
        for command in commands {
            assert!(
                named.contains(&command),
                "README.md does not name {command}"
            );
        }
    }

    /// Case R3: The README names the oldest Rust that will do.
    #[test]
    fn the_readme_names_the_oldest_rust() {
        let manifest = text("Cargo.toml");
        let (_, rest) = manifest
            .split_once("rust-version = \"")
            .expect("it is there");
        let (oldest, _) = rest.split_once('"').expect("it ends");
        assert!(
            text("README.md").contains(&format!("({oldest} or later)")),
            "{oldest}"
        );
    }

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
