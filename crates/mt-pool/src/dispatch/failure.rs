//! What a death means for the items of the dead, and for the pool.
//!
//! Pure: no IO, no clock, no runtime.

use std::{sync::Arc, time::Instant};

use mt_proto::WorkerId;

use super::{Delivery, Dispatch, Gone, Lost, hand::Phase, machine::Mode, queue::Suspect};
use crate::error::{Death, PoolError};

impl Dispatch {
    /// A worker is gone for good: what it had finished stands, what it had not started goes back
    /// untouched, what it was running is suspect.
    pub(super) fn on_gone(&mut self, now: Instant, worker: WorkerId, gone: Gone) {
        let Some(mut hand) = self.crew.remove(&worker) else {
            return;
        };
        let left_in_peace = hand.excused || matches!(hand.phase, Phase::Leaving { .. });
        let legacy = hand.salvage(gone.started);
        let blamed = !legacy.suspects.is_empty();
        self.queue.put_back(legacy.unstarted);
        if let Some(suspect) = legacy.spared {
            self.queue.suspect(suspect);
        }
        for suspect in legacy.suspects {
            self.judge(suspect, &gone.death);
        }
        if left_in_peace || blamed || hand.fruitful || matches!(self.mode, Mode::Stopped) {
            return;
        }
        self.on_fruitless(now, gone);
    }

    /// Another chance for an item that was running when its worker died, or the end of its line.
    fn judge(&mut self, suspect: Suspect, death: &Death) {
        if suspect.deaths < self.config.crash_limit {
            self.queue.suspect(suspect);
            return;
        }
        let lost = Lost::Crashed {
            death: death.clone(),
            attempts: suspect.deaths,
            payload: suspect.payload,
        };
        self.deliver(Delivery::from((suspect.index, lost)));
    }

    /// Gives up when no worker is left and none may be started.
    pub(super) fn give_up_if_hopeless(&mut self) {
        if !self.crew.is_empty() || !self.wants_worker() || !self.restarts.spent() {
            return;
        }
        if let Some(cause) = self.last_failure.clone() {
            self.mode = Mode::Failed(cause);
        }
    }

    /// A worker that did nothing and that nothing can be blamed for.
    fn on_fruitless(&mut self, now: Instant, gone: Gone) {
        let cause = gone
            .before_ready
            .unwrap_or_else(|| Arc::new(PoolError::Died { death: gone.death }));
        self.restarts.on_fruitless(now);
        if cause.is_hopeless() {
            self.restarts.exhaust();
        }
        self.last_failure = Some(cause);
    }
}
