//! `cargo xtask bench gate`: counts that noise cannot move, held against accepted values.
//!
//! Instructions of the hot paths are counted by callgrind (`benches/benches/instructions.rs`), and system calls,
//! wake-ups and allocations of real runs (`benches/benches/counts`). What is accepted stands in
//! `benches/accepted.json`: instructions with a tolerance, the others with the most that the design promises.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{
    accepted::{Accepted, Counts, Machine},
    callgrind,
};
use crate::step::{self, Step};

/// Counts instructions, system calls, wake-ups and allocations an item, and compares them with what is accepted.
///
/// Ends with an error when a count is worse. Instructions are compared only where processor architecture, compiler and
/// C library are those of the accepted values.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench gate
  cargo xtask bench gate --accept      writes the counted instructions to benches/accepted.json

Needs Linux and valgrind, and perf or strace for system calls; the runner of gungraun is installed below
target/ when it is not there yet.")]
pub(crate) struct Args {
    /// Accept the counted instructions, better or worse; the most of other counts is written by hand
    #[arg(long)]
    accept: bool,
}

/// The part of `ci` that is here.
pub(crate) fn step() -> Step {
    Step::call("gate", || run(&Args { accept: false }))
}

/// Counts and compares.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "the gate needs Linux");
    let mut accepted = Accepted::read()?;
    let machine = Machine::here()?;
    let mut verdict = Verdict::default();
    if args.accept || machine == accepted.machine {
        println!("instructions an item: counted, accepted");
        let counted = callgrind::count()?;
        verdict.compare(&counted, &accepted.instructions, accepted.tolerance);
        if args.accept {
            verdict = Verdict::default();
            accepted.machine = machine;
            accepted.instructions = counted;
            accepted.write()?;
            println!("  written to {}", Accepted::FILE);
        }
    } else {
        println!(
            "instructions an item: NOT COMPARED, for they were accepted on {} and this is {machine}",
            accepted.machine
        );
    }
    println!("in a run, an item: counted, at most");
    verdict.bound(&run_counts()?, &accepted.most);
    verdict.pass()
}

/// Runs the bench that prints counts of real runs, a line of JSON for each.
fn run_counts() -> Result<Counts> {
    let bench = step::cargo("bench --quiet --package mt-benches --bench counts");
    let counted = step::output(bench)?;
    let lines = counted.lines().filter(|line| line.starts_with('{'));
    let count = |line: &str| {
        let line: Value = serde_json::from_str(line)?;
        let name = line["name"].as_str().context("a count has no name")?;
        let value = line["value"].as_f64().context("a count has no value")?;
        Ok((name.to_owned(), value))
    };
    lines.map(count).collect()
}

/// What comes of the comparison, as it goes.
#[derive(Default)]
struct Verdict {
    worse: Vec<String>,
    better: Vec<String>,
}

impl Verdict {
    /// Holds counts against what is accepted, each with the same tolerance. A count that is on one side only is worse.
    fn compare(&mut self, counted: &Counts, accepted: &Counts, tolerance: f64) {
        for (name, &before) in accepted {
            let Some(&now) = counted.get(name) else {
                self.row(
                    name,
                    [None, Some(before)],
                    "WORSE: it is not counted any more",
                );
                continue;
            };
            let change = now / before - 1.0;
            let word = if change > tolerance {
                "WORSE"
            } else if change < -tolerance {
                "better"
            } else {
                "ok"
            };
            // Adding nothing makes a zero of one below it.
            let percent = (1000.0 * change).round() / 10.0 + 0.0;
            let word = format!("{percent:+.1} %  {word}");
            self.row(name, [Some(now), Some(before)], &word);
        }
        for (name, &now) in counted {
            if !accepted.contains_key(name) {
                self.row(name, [Some(now), None], "WORSE: nothing is accepted yet");
            }
        }
    }

    /// Holds counts against the most they may be.
    fn bound(&mut self, counted: &Counts, most: &Counts) {
        let names: BTreeSet<&String> = counted.keys().chain(most.keys()).collect();
        for name in names {
            let both = [counted.get(name).copied(), most.get(name).copied()];
            let word = match both {
                [Some(now), Some(most)] if now <= most => "ok",
                [Some(_), Some(_)] => "WORSE",
                [_, None] => "WORSE: it has no bound yet",
                [None, _] => "WORSE: it is not counted any more",
            };
            self.row(name, both, word);
        }
    }

    fn row(&mut self, name: &str, both: [Option<f64>; 2], word: &str) {
        let [now, before] = both.map(|count| match count {
            Some(count) if count < 10.0 => format!("{count:.4}"),
            Some(count) => format!("{count:.1}"),
            None => "–".to_owned(),
        });
        println!("  {name:<32} {now:>10} {before:>10}  {word}");
        if word.contains("WORSE") {
            self.worse.push(name.to_owned());
        } else if word.contains("better") {
            self.better.push(name.to_owned());
        }
    }

    fn pass(self) -> Result<()> {
        if !self.better.is_empty() {
            println!(
                "better: {}. Keep it so with --accept",
                self.better.join(", ")
            );
        }
        if !self.worse.is_empty() {
            bail!(
                "worse than accepted: {}\n  if it has to be so: cargo xtask bench gate --accept, which writes the \
                 instructions to {file}; the most of other counts stands there too",
                self.worse.join(", "),
                file = Accepted::FILE
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Verdict};

    fn counts(list: &[(&str, f64)]) -> Counts {
        let list = list.iter();
        list.map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    #[test]
    fn what_is_worse_fails_and_what_is_better_is_said() {
        let before = [("a", 100.0), ("b", 100.0), ("c", 100.0), ("gone", 1.0)];
        let now = [("a", 102.9), ("b", 103.1), ("c", 96.0), ("new", 1.0)];
        let mut verdict = Verdict::default();
        verdict.compare(&counts(&now), &counts(&before), 0.03);
        assert_eq!(verdict.worse, ["b", "gone", "new"]);
        assert_eq!(verdict.better, ["c"]);
        let told = verdict.pass().expect_err("some are worse").to_string();
        assert!(
            told.starts_with("worse than accepted: b, gone, new\n"),
            "{told}"
        );
        assert!(told.contains("--accept"), "{told}");
    }

    #[test]
    fn counts_of_runs_have_a_most() {
        let most = [("a", 0.1), ("b", 0.1), ("gone", 0.1)];
        let now = [("a", 0.1), ("b", 0.11), ("new", 0.0)];
        let mut verdict = Verdict::default();
        verdict.bound(&counts(&now), &counts(&most));
        assert_eq!(verdict.worse, ["b", "gone", "new"]);
    }
}
