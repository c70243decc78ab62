//! What a chaos run showed.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{ledger::Ledger, left_behind::LeftBehind, plan::Plan, targets::State};
use crate::{
    measure::{percentile_ms, rounded},
    report::Report,
};

/// What a chaos run showed.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    tasks: u64,
    workers: usize,
    ordered: bool,
    seed: u64,
    /// How many items ended how.
    outcomes: BTreeMap<&'static str, u64>,
    /// Items that went in and have no outcome.
    lost: u64,
    doubled: u64,
    /// Values that are not the item's, and outcomes out of place.
    wrong: u64,
    kills: u64,
    kills_per_s: f64,
    /// Workers that died; fewer than kills when some were killed while they were leaving.
    deaths: u64,
    notice_ms: Notice,
    left_behind: LeftBehind,
    seconds: f64,
    /// Why this run does not pass; empty when it does.
    problems: Vec<String>,
}

/// From the kill of a worker to the pool's notice.
#[derive(Debug, Clone, Copy, Serialize)]
struct Notice {
    p50: f64,
    p99: f64,
}

impl Verdict {
    /// After a run that took so long, asked its input for `taken` items and left this behind.
    pub(super) fn of(
        plan: Plan,
        (took, taken): (Duration, u64),
        ledger: &Ledger,
        kills: &State,
        left: LeftBehind,
    ) -> Self {
        let seconds = took.as_secs_f64();
        let mut outcomes = ledger.failed.clone();
        outcomes.insert("ok", ledger.ok);
        let lost = ledger.lost(taken);
        let counts = [
            (plan.tasks - taken, "items were never asked for"),
            (lost, "items have no outcome"),
            (ledger.doubled, "outcomes are one too many"),
            (ledger.wrong, "outcomes are another item's, or out of place"),
            (
                ledger.unexplained(),
                "items failed in a way that kills do not explain",
            ),
            (kills.other_deaths, "workers died that were not killed"),
        ];
        let bad = counts.iter().filter(|(count, _)| *count > 0);
        let mut problems: Vec<_> = bad.map(|(count, what)| format!("{count} {what}")).collect();
        if !left.is_nothing() {
            problems.push(format!("left behind: {left}"));
        }
        let (killed, due) = (kills.kills, plan.kills_due(took));
        if killed < due {
            problems.push(format!(
                "{killed} kills where {due} were asked for: too often no worker lived"
            ));
        }
        Self {
            tasks: plan.tasks,
            workers: plan.workers,
            ordered: !plan.unordered,
            seed: plan.seed,
            outcomes,
            lost,
            doubled: ledger.doubled,
            wrong: ledger.wrong,
            kills: killed,
            kills_per_s: rounded(killed as f64 / seconds),
            deaths: kills.deaths,
            notice_ms: Notice {
                p50: percentile_ms(&kills.notices, 0.50),
                p99: percentile_ms(&kills.notices, 0.99),
            },
            left_behind: left,
            seconds: rounded(seconds),
            problems,
        }
    }
}

impl Report for Verdict {
    fn text(&self) -> String {
        let Self {
            tasks,
            workers,
            seed,
            lost,
            doubled,
            wrong,
            ..
        } = self;
        let Self {
            kills,
            seconds,
            kills_per_s: rate,
            notice_ms: Notice { p50, p99 },
            ..
        } = self;
        let order = if self.ordered { "ordered" } else { "unordered" };
        let kinds = self
            .outcomes
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        let kinds: Vec<String> = kinds.collect();
        let mut lines = vec![
            (
                "tasks",
                format!("{tasks} over {workers} workers, {order}, seed {seed}"),
            ),
            ("outcomes", kinds.join(", ")),
            ("", format!("{lost} lost, {doubled} doubled, {wrong} wrong")),
            (
                "kills",
                format!("{kills} in {seconds:.2} s, {rate:.1} a second"),
            ),
            ("deaths", self.deaths.to_string()),
            (
                "noticed in",
                format!("{p50:.2} ms (median), {p99:.2} ms (99th percentile)"),
            ),
            ("left behind", self.left_behind.to_string()),
        ];
        lines.extend(
            self.problems
                .iter()
                .map(|problem| ("problem", problem.clone())),
        );
        let verdict = if self.passed() { "passed" } else { "FAILED" };
        lines.push(("verdict", verdict.to_owned()));
        let lines = lines
            .iter()
            .map(|(label, text)| format!("{label:<12} {text}\n"));
        lines.collect()
    }

    fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}
