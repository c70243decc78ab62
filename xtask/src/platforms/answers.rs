//! The README's two examples: what they answer under Wine is what they answer here.

use std::{
    collections::BTreeMap,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{build::Programs, verdict::TestResult, wine::Wine};
use crate::step;

const SUITE: &str = "examples";
/// Seconds. Each run takes some.
const PATIENCE: &str = "150";
/// By how much a figure may differ: the exponential function of each system's C library rounds in its own way.
const TOLERANCE: f64 = 1e-6;

/// So that it takes a while, in several batches, without much of it being done at once.
const PREDICT: &str = "--rows 700 --in-flight 50 --bees 2 --json";
const DIGEST: &str = "--json docs";

/// Both builds of the examples.
pub(super) struct Examples<'a> {
    pub(super) here: &'a Programs,
    pub(super) there: &'a Programs,
    pub(super) wine: &'a Wine,
}

impl Examples<'_> {
    /// Runs them on both sides.
    pub(super) fn run(&self) -> Vec<TestResult> {
        let result = |name, outcome| TestResult::new(SUITE, name, outcome);
        vec![
            result("predict", self.predict("")),
            result("predict --chaos", self.chaos()),
            result("predict --poison", self.predict("--poison")),
            result("digest", self.digest("")),
            result("digest --poison", self.digest("--poison README.md")),
        ]
    }

    fn predict(&self, option: &str) -> Result<()> {
        let run = |side: Side<'_>| side.run("mt-beehive", "predict", &[PREDICT, option]);
        let (here, there) = (run(self.here())?, run(self.there())?);
        let wanted = if option.is_empty() { 0 } else { 1 };
        // Without another option the example itself has compared its answers with those of one process, bit for bit.
        has_ended(&here, wanted)?;
        has_ended(&there, wanted)?;
        same(&rows(&here, "row")?, &rows(&there, "row")?)
    }

    fn chaos(&self) -> Result<()> {
        let run = |option| {
            self.there()
                .run("mt-beehive", "predict", &[PREDICT, option])
        };
        let (calm, killed) = (run("--no-check")?, run("--chaos=8")?);
        has_ended(&killed, 0)?;
        ensure!(
            figure(&killed, "worker bees lost")? > 0,
            "no worker bee was killed"
        );
        ensure!(calm.stdout == killed.stdout, "the answers differ");
        Ok(())
    }

    fn digest(&self, option: &str) -> Result<()> {
        let run = |side: Side<'_>| side.run("mt-pool", "digest", &[DIGEST, option]);
        let (here, there) = (run(self.here())?, run(self.there())?);
        let wanted = if option.is_empty() { 0 } else { 1 };
        has_ended(&here, wanted)?;
        has_ended(&there, wanted)?;
        same(&rows(&here, "path")?, &rows(&there, "path")?)
    }

    fn here(&self) -> Side<'_> {
        let (programs, wine) = (self.here, None);
        Side { programs, wine }
    }

    fn there(&self) -> Side<'_> {
        let (programs, wine) = (self.there, Some(self.wine));
        Side { programs, wine }
    }
}

/// The system that builds, or Windows.
struct Side<'a> {
    programs: &'a Programs,
    wine: Option<&'a Wine>,
}

impl Side<'_> {
    fn run(&self, package: &str, name: &str, options: &[&str]) -> Result<Output> {
        let program = &self.programs.get(package, name)?.path;
        let command = self.wine.map(|wine| wine.program(program, &step::root()));
        let command = command.unwrap_or_else(|| Command::new(program));
        let mut timed = within(&command);
        let options = options.iter().flat_map(|words| words.split_whitespace());
        timed.args(options).current_dir(step::root());
        timed.stdin(Stdio::null());
        timed.output().context("failed to start `timeout`")
    }
}

/// The command, for so long at most.
fn within(command: &Command) -> Command {
    let mut timed = Command::new("timeout");
    timed.args(["--kill-after=5", PATIENCE]);
    timed.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    timed
}

fn has_ended(output: &Output, wanted: i32) -> Result<()> {
    let told = String::from_utf8_lossy(&output.stderr);
    // What `timeout` says so.
    ensure!(
        output.status.code() != Some(124),
        "it hangs: it has not ended within {PATIENCE} s\n{told}"
    );
    ensure!(
        output.status.code() == Some(wanted),
        "it ended with {} in place of {wanted}\n{told}",
        output.status
    );
    Ok(())
}

/// The lines of an answer, by the field that tells which one each is.
fn rows(output: &Output, key: &str) -> Result<BTreeMap<String, Value>> {
    let text = str::from_utf8(&output.stdout).context("the answer is no text")?;
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).with_context(|| format!("no row: {line}"))?;
        let name = row.get(key).with_context(|| format!("no {key}: {line}"))?;
        let name = name.as_str().map(|path| path.replace('\\', "/"));
        Ok((name.unwrap_or_else(|| row[key].to_string()), row))
    };
    text.lines().map(read).collect()
}

/// A figure of the summary.
fn figure(output: &Output, line: &str) -> Result<u64> {
    let told = String::from_utf8_lossy(&output.stderr);
    let cells = told.lines().map(|line| line.trim_matches('│'));
    let mut cells = cells.filter_map(|line| line.split_once('┆'));
    let found = cells.find(|(what, _)| what.trim() == line);
    let (_, figure) = found.with_context(|| format!("no {line:?} in\n{told}"))?;
    Ok(figure.trim().replace(',', "").parse()?)
}

fn same(here: &BTreeMap<String, Value>, there: &BTreeMap<String, Value>) -> Result<()> {
    ensure!(!here.is_empty(), "there are no answers");
    ensure!(
        here.keys().eq(there.keys()),
        "there are answers to something else"
    );
    for (name, row) in here {
        let other = &there[name];
        ensure!(is_same(row, other), "{name}: {row} here, and there {other}");
    }
    Ok(())
}

/// Whether two values are the same but for how numbers are rounded, paths are written, and the words of errors: each
/// system has its own for how a process ended.
fn is_same(here: &Value, there: &Value) -> bool {
    match (here, there) {
        (Value::Object(here), Value::Object(there)) => {
            here.keys().eq(there.keys())
                && here.iter().all(|(key, value)| match key.as_str() {
                    "error" => true,
                    "path" => {
                        there[key]
                            .as_str()
                            .map(|it| it.replace('\\', "/"))
                            .as_deref()
                            == value.as_str()
                    }
                    _ => is_same(value, &there[key]),
                })
        }
        (Value::Array(here), Value::Array(there)) => {
            here.len() == there.len() && here.iter().zip(there).all(|(a, b)| is_same(a, b))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (
                a.as_f64().unwrap_or(f64::NAN),
                b.as_f64().unwrap_or(f64::NAN),
            );
            (a - b).abs() <= TOLERANCE
        }
        _ => here == there,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{is_same, within};

    #[test]
    fn what_systems_may_tell_in_their_own_way_is_the_same() {
        let row = json!({"path": "a/b", "size": 7, "share": [0.5, 0.25], "error": "signal 6"});
        let other = json!({"path": "a\\b", "size": 7, "share": [0.5, 0.25000000001], "error": "0xC0000409"});
        assert!(is_same(&row, &other));
        for (key, value) in [
            ("path", json!("a/c")),
            ("size", json!(8)),
            ("share", json!([0.5, 0.2501])),
            ("share", json!([0.5])),
            ("more", json!(null)),
        ] {
            let mut changed = other.clone();
            changed[key] = value;
            assert!(!is_same(&row, &changed), "{changed}");
        }
        assert!(!is_same(
            &row,
            &json!({"path": "a/b", "size": 7, "share": [0.5, 0.25]})
        ));
    }

    #[test]
    fn a_limit_of_time_changes_nothing_else() {
        let mut command = std::process::Command::new("wine64");
        command.arg("a.exe").env("A", "1").env_remove("B");
        let timed = within(&command);
        let words: Vec<_> = timed.get_args().map(Path::new).collect();
        assert_eq!(words[2..], [Path::new("wine64"), Path::new("a.exe")]);
        assert!(timed.get_envs().eq(command.get_envs()));
    }
}
