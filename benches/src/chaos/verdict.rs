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
    /// From the kill of a worker to the pool's notice.
    notice_ms: BTreeMap<&'static str, f64>,
    left_behind: LeftBehind,
    seconds: f64,
    /// Why this run does not pass; empty when it does.
    problems: Vec<String>,
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
            notice_ms: [("p50", 0.50), ("p99", 0.99)]
                .map(|(name, share)| (name, percentile_ms(&kills.notices, share)))
                .into(),
            left_behind: left,
            seconds: rounded(seconds),
            problems,
        }
    }
}

impl Report for Verdict {
    fn text(&self) -> String {
        let order = if self.ordered { "ordered" } else { "unordered" };
        let kinds = self
            .outcomes
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        let problems = self
            .problems
            .iter()
            .map(|problem| format!("problem      {problem}\n"));
        let verdict = if self.passed() { "passed" } else { "FAILED" };
        [
            format!(
                "tasks        {} over {} workers, ",
                self.tasks, self.workers
            ),
            format!("{order}, seed {}\n", self.seed),
            format!("outcomes     {}\n", kinds.collect::<Vec<_>>().join(", ")),
            format!(
                "             {} lost, {} doubled, ",
                self.lost, self.doubled
            ),
            format!("{} wrong\n", self.wrong),
            format!("kills        {} in {:.2} s, ", self.kills, self.seconds),
            format!("{:.1} a second\n", self.kills_per_s),
            format!("deaths       {}\n", self.deaths),
            format!("noticed in   {:.2} ms (median), ", self.notice_ms["p50"]),
            format!("{:.2} ms (99th percentile)\n", self.notice_ms["p99"]),
            format!("left behind  {}\n", self.left_behind),
            problems.collect(),
            format!("verdict      {verdict}"),
        ]
        .concat()
    }

    fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}
