//! `cargo xtask fuzz`: any bytes for the decoder and the machines, for as long as is wanted.
//!
//! A target is a test (`mt_test_kit::fuzz`), so a plain run of the tests plays it for a moment too. Our own crates
//! are optimised here, with their assertions; the dependencies are those of the tests. `ci` plays what the tests have built:
//! building takes longer than it plays.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::{self, Step};

/// Package, where in it, and the test's name.
const TARGETS: [(&str, &str, &str); 7] = [
    ("mt-proto", "--test fuzz", "frames"),
    ("mt-proto", "--test fuzz", "values"),
    ("mt-pool", "--lib", "dispatch::tests::fuzz::dispatch"),
    ("mt-pool", "--lib", "supervision::phase::tests::session"),
    ("mt-beehive", "--lib", "machine::tests::fuzz::hive"),
    ("mt-beehive", "--lib", "machine::tests::fuzz::hostile_bees"),
    (
        "mt-beehive",
        "--lib",
        "machine::tests::fuzz::hostile_parent",
    ),
];

/// Plays random and hostile bytes to the frame decoder, the machines and the session.
///
/// Each target is given an equal part of the time. An input that fails is made as short as it fails on, and kept
/// in a file whose name is printed, with how to play it again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask fuzz --seconds 600
  cargo xtask fuzz --only frames --seed 17
  cargo xtask fuzz --seconds 300 --keep       improves the corpus in the repository")]
pub(crate) struct Args {
    /// How long all targets together are played, in seconds; building is not counted
    #[arg(long, default_value_t = CI_SECONDS)]
    seconds: f64,

    /// Print one line of JSON for each target, and nothing else on standard output
    #[arg(long)]
    json: bool,

    /// Play only the targets whose names contain this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,

    /// What chance starts from; a new one for each run if not given
    #[arg(long)]
    seed: Option<u64>,

    /// Play what `cargo xtask test` has built, which is not optimised, instead of building anything
    #[arg(long)]
    as_tested: bool,

    /// Write the corpus anew: the shortest inputs that show all that was seen
    #[arg(long)]
    keep: bool,
}

/// How long `ci` plays all targets together, in seconds.
const CI_SECONDS: f64 = 60.0;

/// The part of `ci` that is here.
pub(crate) fn step() -> Step {
    let all = || {
        run(&Args {
            seconds: CI_SECONDS,
            json: false,
            only: None,
            seed: None,
            keep: false,
            as_tested: true,
        })
    };
    Step::call("fuzz", all)
}

/// Plays all targets, also after one has failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let is_wanted = |name: &str| args.only.as_ref().is_none_or(|part| name.contains(part));
    let targets: Vec<_> = TARGETS
        .iter()
        .filter(|(_, _, name)| is_wanted(name))
        .collect();
    if targets.is_empty() {
        bail!("no target has that in its name: {}", names().join(", "));
    }
    let seconds = args.seconds / targets.len() as f64;
    let mut failed = Vec::new();
    let mut executions = 0;
    for &&(package, place, name) in &targets {
        match play(command(package, place, name, seconds, args), args.json) {
            Ok(count) => executions += count,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                failed.push(name);
            }
        }
    }
    eprintln!(
        "fuzz: {executions} executions, {} of {} targets failed",
        failed.len(),
        targets.len()
    );
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|(_, _, name)| *name).collect()
}

fn command(package: &str, place: &str, name: &str, seconds: f64, args: &Args) -> Command {
    // The features of all packages together are those that the tests were built with.
    let packages = match args.as_tested {
        true => "--workspace".to_owned(),
        false => format!("-p {package}"),
    };
    let mut command = step::cargo(&format!(
        "test --quiet {packages} {place} -- --exact {name} --nocapture"
    ));
    if !args.as_tested {
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "3");
    }
    command.env("MT_FUZZ_SECONDS", seconds.to_string());
    if let Some(seed) = args.seed {
        command.env("MT_FUZZ_SEED", seed.to_string());
    }
    if args.keep {
        command.env("MT_FUZZ_KEEP", "1");
    }
    command.stdout(Stdio::piped());
    command
}

/// Runs a target and hands on the line it prints at its end. Returns how many inputs it has played.
fn play(mut command: Command, json: bool) -> Result<u64> {
    let mut child = command.spawn().context("failed to start cargo")?;
    let stdout = child.stdout.take().context("it has no standard output")?;
    let mut executions = None;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        let Some(at) = line.find(r#"{"fuzz":"#) else {
            continue;
        };
        let report = &line[at..];
        executions = number(report, "executions");
        match json {
            true => println!("{report}"),
            false => eprintln!(
                "{}",
                report
                    .trim_matches(['{', '}'])
                    .replace('"', "")
                    .replace(',', "  ")
            ),
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the target ended with {status}");
    }
    executions.context("the target played nothing: is it still there under this name?")
}

/// The number of this name in a line of JSON that our own fuzzer has written.
fn number(json: &str, name: &str) -> Option<u64> {
    let (_, rest) = json.split_once(&format!(r#""{name}":"#))?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_count_is_read_from_the_report() {
        let report = r#"{"fuzz":"frames","executions":1203,"kept":5,"seconds":1.0,"seed":7}"#;
        assert_eq!(number(report, "executions"), Some(1203));
        assert_eq!(number(report, "lost"), None);
    }
}
