//! What a chaos run showed.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{ledger::Ledger, left_behind::LeftBehind, plan::Plan, targets::State};

/// All that is known after a run.
pub(super) struct Found<'a> {
    pub(super) plan: Plan,
    pub(super) took: Duration,
    pub(super) ledger: &'a Ledger,
    /// The items that the run has asked its input for.
    pub(super) taken: u64,
    pub(super) kills: &'a State,
    pub(super) left: LeftBehind,
}

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
    pub(super) fn of(found: Found<'_>) -> Self {
        let Found {
            plan,
            took,
            ledger,
            taken,
            kills,
            left,
        } = found;
        let seconds = took.as_secs_f64();
        let mut outcomes = ledger.failed.clone();
        outcomes.insert("ok", ledger.ok);
        let mut verdict = Self {
            tasks: plan.tasks,
            workers: plan.workers,
            ordered: plan.ordered,
            seed: plan.seed,
            outcomes,
            lost: ledger.lost(taken),
            doubled: ledger.doubled,
            wrong: ledger.wrong,
            kills: kills.kills,
            kills_per_s: rounded(kills.kills as f64 / seconds),
            deaths: kills.deaths,
            notice_ms: Notice::of(&kills.notices),
            left_behind: left,
            seconds: rounded(seconds),
            problems: Vec::new(),
        };
        let counts = [
            (plan.tasks - taken, "items were never asked for"),
            (verdict.lost, "items have no outcome"),
            (verdict.doubled, "outcomes are one too many"),
            (
                verdict.wrong,
                "outcomes are another item's, or out of place",
            ),
            (
                ledger.unexplained(),
                "items failed in a way that kills do not explain",
            ),
            (kills.other_deaths, "workers died that were not killed"),
        ];
        let bad = counts.iter().filter(|(count, _)| *count > 0);
        verdict.problems = bad.map(|(count, what)| format!("{count} {what}")).collect();
        if !left.is_nothing() {
            verdict.problems.push(format!("left behind: {left}"));
        }
        let due = plan.kills_due(took);
        if kills.kills < due {
            let killed = kills.kills;
            let few =
                format!("{killed} kills where {due} were asked for: too often no worker lived");
            verdict.problems.push(few);
        }
        verdict
    }

    /// Whether everything was as it must be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.ordered { "ordered" } else { "unordered" };
        let (tasks, workers, seed) = (self.tasks, self.workers, self.seed);
        writeln!(
            f,
            "tasks        {tasks} over {workers} workers, {order}, seed {seed}"
        )?;
        let kinds = self
            .outcomes
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        writeln!(f, "outcomes     {}", kinds.collect::<Vec<_>>().join(", "))?;
        let (lost, doubled, wrong) = (self.lost, self.doubled, self.wrong);
        writeln!(
            f,
            "             {lost} lost, {doubled} doubled, {wrong} wrong"
        )?;
        let (kills, rate) = (self.kills, self.kills_per_s);
        writeln!(
            f,
            "kills        {kills} in {:.2} s, {rate:.1} a second",
            self.seconds
        )?;
        writeln!(f, "deaths       {}", self.deaths)?;
        let Notice { p50, p99 } = self.notice_ms;
        writeln!(
            f,
            "noticed in   {p50:.2} ms (median), {p99:.2} ms (99th percentile)"
        )?;
        writeln!(f, "left behind  {}", self.left_behind)?;
        for problem in &self.problems {
            writeln!(f, "problem      {problem}")?;
        }
        write!(
            f,
            "verdict      {}",
            if self.passed() { "passed" } else { "FAILED" }
        )
    }
}

impl Notice {
    fn of(notices: &[Duration]) -> Self {
        let mut sorted = notices.to_vec();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            let found = sorted.get(rank.saturating_sub(1));
            found.map_or(0.0, |time| rounded(time.as_secs_f64() * 1e3))
        };
        Self {
            p50: at(0.50),
            p99: at(0.99),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::{Duration, Notice};

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let notices: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let Notice { p50, p99 } = Notice::of(&notices);
        assert_eq!((p50, p99), (100.0, 198.0));
        assert_eq!(Notice::of(&[]).p99, 0.0);
    }
}
