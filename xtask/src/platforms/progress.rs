//! What a test program says of its tests: Rust's harness by lines of JSON, tests that are skipped in their output.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use serde::Deserialize;

use super::verdict::{Outcome, TestResult};

/// A line of the harness about a test.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    name: Option<String>,
    stdout: Option<String>,
    exec_time: Option<f64>,
}

/// The tests of a suite: what became of some, and which are begun.
#[derive(Debug)]
pub(super) struct Progress {
    suite: &'static str,
    waiting: BTreeSet<String>,
    running: BTreeSet<String>,
    ended: BTreeMap<String, TestResult>,
}

impl Progress {
    /// None of these has begun.
    pub(super) fn new(suite: &'static str, tests: impl IntoIterator<Item = String>) -> Self {
        Self {
            suite,
            waiting: tests.into_iter().collect(),
            running: BTreeSet::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Takes a line of the program's output; most of them are about no test.
    pub(super) fn line(&mut self, line: &str) {
        let Some(at) = line.find("{ \"type\"") else {
            return;
        };
        let Ok(line) = serde_json::from_str::<Line>(&line[at..]) else {
            return;
        };
        let (true, Some(name)) = (line.kind == "test", line.name) else {
            return;
        };
        let output = line.stdout.unwrap_or_default();
        let (result, reason) = match line.event.as_str() {
            "started" => {
                self.waiting.remove(&name);
                self.running.insert(name);
                return;
            }
            "ok" => match skip_of(&name, &output) {
                Some(reason) => (Outcome::Skipped, Some(reason.to_owned())),
                None => (Outcome::Ok, None),
            },
            "ignored" => (Outcome::Failed, Some("it is ignored".into())),
            "failed" => (Outcome::Failed, Some(output)),
            // `timeout` only says that the test has been running for a minute.
            _ => return,
        };
        self.end(&name, result, reason, line.exec_time);
    }

    /// What is not done yet: tests that were begun when the program ended, and the others.
    pub(super) fn left(&mut self) -> (Vec<String>, Vec<String>) {
        let running = mem::take(&mut self.running);
        (
            running.into_iter().collect(),
            self.waiting.iter().cloned().collect(),
        )
    }

    /// Whether it is known what became of a test.
    pub(super) fn has_ended(&self, name: &str) -> bool {
        self.ended.contains_key(name)
    }

    /// A test that has not told its end has failed.
    pub(super) fn fail(&mut self, name: &str, reason: String) {
        self.end(name, Outcome::Failed, Some(reason), None);
    }

    fn end(&mut self, name: &str, result: Outcome, reason: Option<String>, seconds: Option<f64>) {
        self.waiting.remove(name);
        self.running.remove(name);
        let test = TestResult {
            suite: self.suite,
            test: name.to_owned(),
            result,
            reason,
            seconds,
        };
        self.ended.insert(name.to_owned(), test);
    }

    /// All results, by the tests' names.
    pub(super) fn results(self) -> Vec<TestResult> {
        self.ended.into_values().collect()
    }
}

/// Why a test was skipped, if its output says so by its own name.
fn skip_of<'a>(name: &str, output: &'a str) -> Option<&'a str> {
    let mut lines = output.lines();
    lines.find_map(|line| {
        let rest = line.strip_prefix("skipped: ")?;
        rest.strip_prefix(name)?.strip_prefix(": ")
    })
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Progress};

    fn progress(lines: &[&str]) -> Progress {
        let names = ["a::b", "a::c", "d", "e"];
        let mut progress = Progress::new("pool", names.map(String::from));
        lines.iter().for_each(|line| progress.line(line));
        progress
    }

    const TOLD: [&str; 10] = [
        r#"{ "type": "suite", "event": "started", "test_count": 4 }"#,
        r#"{ "type": "test", "event": "started", "name": "a::b" }"#,
        r#"{ "type": "test", "event": "started", "name": "a::c" }"#,
        r#"noise{ "type": "test", "name": "a::b", "event": "ok", "exec_time": 0.5, "stdout": "skipped: a::c: no\n" }"#,
        r#"{ "type": "test", "event": "started", "name": "d" }"#,
        r#"{ "type": "test", "name": "a::c", "event": "ok", "stdout": "x\nskipped: a::c: no fork: none\ny" }"#,
        r#"{ "type": "test", "name": "d", "event": "failed", "stdout": "thread panicked" }"#,
        r#"{ "type": "test", "event": "started", "name": "e" }"#,
        r#"{ "type": "test", "event": "timeout", "name": "e" }"#,
        r#"{ "type": "oops"#,
    ];

    #[test]
    fn what_tests_say_is_told_apart() {
        let results = progress(&TOLD).results();
        let told = results.iter();
        let told = told.map(|it| (it.test.as_str(), it.result, it.reason.as_deref()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("a::b", Outcome::Ok, None),
                ("a::c", Outcome::Skipped, Some("no fork: none")),
                ("d", Outcome::Failed, Some("thread panicked")),
            ]
        );
        assert_eq!(results[0].seconds, Some(0.5));
    }

    #[test]
    fn what_is_left_was_begun_or_waits() {
        let left = |lines| progress(lines).left();
        assert_eq!(left(&TOLD), (vec!["e".into()], vec![]));
        let waiting = vec!["a::c".into(), "d".into(), "e".into()];
        assert_eq!(left(&TOLD[..2]), (vec!["a::b".into()], waiting));
        let mut progress = progress(&TOLD);
        assert!(!progress.has_ended("e"));
        progress.fail("e", "it hangs".into());
        assert!(progress.has_ended("e"));
        assert_eq!(progress.left(), (vec![], vec![]));
        assert_eq!(progress.results()[3].reason.as_deref(), Some("it hangs"));
    }
}
