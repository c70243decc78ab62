//! What a chaos run showed.

use std::time::Duration;

use serde_json::json;

use super::{
    calls::Tally, ledger::Ledger, left_behind::LeftBehind, names::Names, plan::Plan, targets::State,
};
use crate::{
    measure::{percentile_ms, rounded},
    report::{Figures, Report},
};

/// How many are shown of what should not be.
pub(super) const SHOWN: usize = 5;

/// What became of what was to be done.
pub(super) enum Drained {
    Items(Ledger),
    Calls(Box<Tally>),
}

impl Drained {
    fn ledger(&self) -> &Ledger {
        match self {
            Self::Items(ledger) => ledger,
            Self::Calls(tally) => &tally.ledger,
        }
    }
}

/// All that is known after a run.
pub(super) struct Found<'a> {
    pub(super) plan: Plan,
    pub(super) took: Duration,
    /// The part of it in which there were workers to kill.
    pub(super) killing: Duration,
    pub(super) drained: &'a Drained,
    /// The items that the run has asked its input for.
    pub(super) taken: u64,
    pub(super) kills: &'a State,
    pub(super) names: Names,
    pub(super) left: LeftBehind,
    /// How many bytes more this process has in memory than before.
    pub(super) rss_growth: i64,
}

impl Found<'_> {
    pub(super) fn report(&self) -> Report {
        let (plan, ledger, kills) = (self.plan, self.drained.ledger(), self.kills);
        let seconds = self.took.as_secs_f64();
        let problems = self.problems();
        let mut figures = vec![
            ("tasks", json!(plan.tasks)),
            ("workers", json!(plan.workers)),
            ("seed", json!(plan.seed)),
            // How many items ended how.
            ("outcomes", json!(ledger.outcomes)),
            // Items that went in and have no outcome.
            ("lost", json!(ledger.lost(self.taken))),
            ("doubled", json!(ledger.doubled)),
            // Values that are not the item's, and outcomes out of place.
            ("wrong", json!(ledger.wrong)),
            ("kills", json!(kills.kills)),
            ("kills_per_s", json!(rounded(kills.kills as f64 / seconds))),
            // Workers that were stopped for a while, which nothing may come of.
            ("pauses", json!(kills.pauses)),
            // Deaths by what brought them about.
            ("injected", json!(self.names.injected)),
            ("misnamed", json!(self.misnamed())),
        ];
        figures.extend(self.times());
        figures.extend(match self.drained {
            Drained::Items(_) => self.of_items(),
            Drained::Calls(tally) => tally.figures(),
        });
        figures.extend([
            ("rss_growth_kib", json!(self.rss_growth / 1024)),
            ("left_behind", json!(self.left)),
            ("seconds", json!(rounded(seconds))),
            // Why this run does not pass; empty when it does.
            ("problems", json!(problems)),
        ]);
        Report::of(&figures).with_verdict(problems.is_empty())
    }

    fn times(&self) -> Figures {
        let notice = |share| percentile_ms(&self.kills.notices, share);
        let replacement = |share| percentile_ms(&self.kills.replacements, share);
        vec![
            // From the kill of a worker to the pool's notice; where it does not tell that, until its process was gone.
            (
                "notice_ms",
                json!({ "p50": notice(0.5), "p99": notice(0.99) }),
            ),
            // From the kill of a worker to the readiness of the one in its place.
            (
                "replacement_ms",
                json!({ "p50": replacement(0.5), "p99": replacement(0.99) }),
            ),
        ]
    }

    fn of_items(&self) -> Figures {
        vec![
            ("ordered", json!(self.plan.ordered)),
            // Deaths as they were told; fewer than were brought about when workers were killed while they were leaving, or
            // while they died of something else.
            ("deaths", json!(self.kills.told.len())),
            ("told", json!(self.names.told)),
        ]
    }

    fn misnamed(&self) -> u64 {
        self.names.wrong.len() as u64 + self.drained.ledger().misnamed
    }

    fn problems(&self) -> Vec<String> {
        let (plan, ledger, kills) = (self.plan, self.drained.ledger(), self.kills);
        let counts = [
            (plan.tasks - self.taken, "items were never asked for"),
            (ledger.lost(self.taken), "items have no outcome"),
            (ledger.doubled, "outcomes are one too many"),
            (ledger.wrong, "outcomes are another item's, or out of place"),
            (
                ledger.unexplained,
                "items ended as neither they nor kills explain",
            ),
            (
                self.misnamed(),
                "deaths are told as what they were not, or were not brought about here",
            ),
        ];
        let brought_about = self.names.injected.values().sum();
        let (of_calls, shown) = match self.drained {
            Drained::Items(_) => (Vec::new(), &self.names.wrong),
            Drained::Calls(tally) => (tally.counts(brought_about).into(), &tally.shown),
        };
        let counts = counts.into_iter().chain(of_calls);
        let bad = counts.filter(|(count, _)| *count > 0);
        let mut problems: Vec<_> = bad.map(|(count, what)| format!("{count} {what}")).collect();
        problems.extend(shown.iter().take(SHOWN).cloned());
        if self.left.values().any(|count| *count > 0) {
            problems.push(format!("left behind: {:?}", self.left));
        }
        let (killed, due) = (kills.kills, plan.kills_due(self.killing));
        if killed < due {
            problems.push(format!(
                "{killed} kills where {due} were asked for: too often no worker lived"
            ));
        }
        problems
    }
}
