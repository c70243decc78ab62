//! What the report says of single calls, beside what it says of any run.

use mt_pool::supervision::Deaths;
use serde_json::json;

use super::tally::Tally;
use crate::{measure::percentile_ms, report::Figures};

impl Tally {
    pub(in crate::chaos) fn figures(&self) -> Figures {
        let late = |share| percentile_ms(&self.late, share);
        vec![
            // Calls that found no room at first.
            ("shed", json!(self.shed)),
            // Of the calls that never end by themselves.
            (
                "cancelled",
                json!({ "waiting": self.cancelled_waiting, "running": self.cancelled_running }),
            ),
            // From the deadline of a call that never ends to its outcome.
            ("late_ms", json!({ "p50": late(0.5), "p99": late(0.99) })),
            // What the pool says that its workers died of.
            (
                "worker_deaths",
                json!({
                    "brought_about": brought_about(&self.deaths),
                    "overran": self.deaths.overran,
                    "other": others(&self.deaths),
                }),
            ),
        ]
    }

    /// How many there are of what must not be, where so many deaths were brought about.
    pub(in crate::chaos) fn counts(&self, brought: u64) -> [(u64, &'static str); 8] {
        let died = brought_about(&self.deaths);
        [
            (
                self.still_running,
                "calls were running when their outcome was there",
            ),
            (
                self.still_there,
                "processes were there that were to be gone with the outcome of their call",
            ),
            (self.called_late, "calls were begun after their outcome"),
            (self.went_on, "calls went on that nobody waited for"),
            (
                self.begun_twice,
                "calls were begun while they were still running",
            ),
            (self.places_off, "places for calls are lost, or too many"),
            (
                died.saturating_sub(brought),
                "workers died that nobody has killed",
            ),
            (
                others(&self.deaths),
                "workers died of what nobody did to them",
            ),
        ]
    }
}

/// The deaths that kills and faults lead to.
fn brought_about(deaths: &Deaths) -> u64 {
    deaths.by_themselves + deaths.broke_protocol + deaths.hung_up + deaths.memory_exceeded
}

/// The deaths that nothing here leads to.
fn others(deaths: &Deaths) -> u64 {
    [
        deaths.frozen,
        deaths.blocked,
        deaths.out_of_memory,
        deaths.displaced,
        deaths.lingered,
        deaths.no_answer,
        deaths.close_blocked,
        deaths.out_of_reach,
        deaths.terminated,
    ]
    .iter()
    .sum()
}
