//! What became of every test, how that is told, and what is good enough.

use anyhow::{Result, ensure};
use serde::Serialize;

/// Of a suite's tests so many percent have to run; the others say why they can't.
const RUN_PERCENT: usize = 90;

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Ok,
    Skipped,
    Failed,
}

/// A test and what became of it: a line of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TestResult {
    pub(super) suite: &'static str,
    pub(super) test: String,
    pub(super) result: Outcome,
    /// Why it was skipped, or what it said when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<f64>,
}

impl TestResult {
    pub(super) fn new(suite: &'static str, test: impl Into<String>, outcome: Result<()>) -> Self {
        let reason = outcome.err().map(|error| format!("{error:#}"));
        Self {
            suite,
            test: test.into(),
            result: if reason.is_none() {
                Outcome::Ok
            } else {
                Outcome::Failed
            },
            reason,
            seconds: None,
        }
    }
}

/// All results, as they come.
#[derive(Debug)]
pub(super) struct Verdict {
    results: Vec<TestResult>,
    /// The suites that have no test.
    empty: Vec<&'static str>,
    as_json: bool,
}

impl Verdict {
    pub(super) fn new(as_json: bool) -> Self {
        Self {
            results: Vec::new(),
            empty: Vec::new(),
            as_json,
        }
    }

    /// Takes the results of a suite and prints them: each as a line of JSON, or how many there are, with a line for
    /// each that did not pass.
    pub(super) fn take(&mut self, suite: &'static str, results: Vec<TestResult>) -> Result<()> {
        if self.as_json {
            for result in &results {
                println!("{}", serde_json::to_string(result)?);
            }
        } else {
            println!("{}", summary(suite, &results));
        }
        if results.is_empty() {
            self.empty.push(suite);
        }
        self.results.extend(results);
        Ok(())
    }

    /// # Errors
    /// Tests have failed, or too few of a suite have run: none at all, unless only some were asked for by their names.
    pub(super) fn pass(&self, are_named: bool) -> Result<()> {
        ensure!(
            are_named || self.empty.is_empty(),
            "there are no tests for this system in {}",
            self.empty.join(", ")
        );
        let of = |outcome| self.results.iter().filter(move |it| it.result == outcome);
        let failed: Vec<String> = of(Outcome::Failed).map(name).collect();
        ensure!(
            failed.is_empty(),
            "{} of {} failed: {}",
            failed.len(),
            self.results.len(),
            failed.join(", ")
        );
        let mut suites: Vec<&str> = self.results.iter().map(|it| it.suite).collect();
        suites.dedup();
        for suite in suites {
            let all = self.results.iter().filter(|it| it.suite == suite).count();
            let skipped = of(Outcome::Skipped).filter(|it| it.suite == suite).count();
            ensure!(
                (all - skipped) * 100 >= all * RUN_PERCENT,
                "{suite}: {skipped} of {all} tests were skipped; {RUN_PERCENT} % have to run"
            );
        }
        Ok(())
    }
}

fn name(result: &TestResult) -> String {
    format!("{} {}", result.suite, result.test)
}

fn summary(suite: &str, results: &[TestResult]) -> String {
    let count = |outcome| results.iter().filter(|it| it.result == outcome).count();
    let mut lines = vec![format!(
        "{suite}: {} ok, {} skipped, {} failed",
        count(Outcome::Ok),
        count(Outcome::Skipped),
        count(Outcome::Failed)
    )];
    for outcome in [Outcome::Skipped, Outcome::Failed] {
        let word = if outcome == Outcome::Failed {
            "FAILED"
        } else {
            "skipped"
        };
        for it in results.iter().filter(|it| it.result == outcome) {
            let reason = it.reason.as_deref().unwrap_or_default();
            lines.push(format!(
                "  {word} {}: {}",
                it.test,
                reason.trim_end().replace('\n', "\n    ")
            ));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Outcome, TestResult, Verdict, summary};

    fn results(ok: usize, skipped: usize, failed: usize) -> Vec<TestResult> {
        let counts = [
            (Outcome::Ok, ok),
            (Outcome::Skipped, skipped),
            (Outcome::Failed, failed),
        ];
        let all = counts.into_iter().flat_map(|(result, count)| {
            (0..count).map(move |number| TestResult {
                suite: "pool",
                test: format!("t{number}"),
                result,
                reason: (result != Outcome::Ok).then(|| "so\nit is".into()),
                seconds: None,
            })
        });
        all.collect()
    }

    #[track_caller]
    fn check(ok: usize, skipped: usize, failed: usize, error: &str) {
        let mut verdict = Verdict::new(true);
        verdict
            .take("pool", results(ok, skipped, failed))
            .expect("it is plain");
        let told = verdict.pass(false).err().map(|error| error.to_string());
        assert_eq!(told.unwrap_or_default(), error);
    }

    #[test]
    fn most_must_run_and_none_may_fail() {
        check(9, 1, 0, "");
        check(8, 1, 1, "1 of 10 failed: pool t0");
        check(8, 1, 0, "pool: 1 of 9 tests were skipped; 90 % have to run");
        check(0, 0, 0, "there are no tests for this system in pool");
        let mut named = Verdict::new(true);
        named.take("pool", Vec::new()).expect("it is plain");
        assert!(named.pass(true).is_ok());
    }

    #[test]
    fn what_did_not_pass_is_told_with_its_reason() {
        let expected = "pool: 2 ok, 1 skipped, 1 failed\n  \
            skipped t0: so\n    it is\n  FAILED t0: so\n    it is";
        assert_eq!(summary("pool", &results(2, 1, 1)), expected);
    }

    #[test]
    fn a_line_of_json_names_the_test_its_result_and_the_reason() {
        let lines = results(1, 1, 0)
            .into_iter()
            .map(|it| serde_json::to_string(&it));
        let lines: Vec<String> = lines.collect::<Result<_, _>>().expect("it is plain");
        assert_eq!(lines[0], r#"{"suite":"pool","test":"t0","result":"ok"}"#);
        assert!(lines[1].ends_with(r#""result":"skipped","reason":"so\nit is"}"#));
    }
}
