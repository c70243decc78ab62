//! What holds for single calls, where it is not what holds for all: their deadlines.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mt_proto::{Deadline, ItemIndex, Segment};

use super::{
    Dispatch, Lost,
    queue::{Waiting, items_of},
    worker_slot::SlotPhase,
};
use crate::supervision::DeathCause;

/// How long a call that nobody waits for any more may go on before its worker is killed for it: longer than most calls
/// take, because a new worker costs some milliseconds.
const CANCEL_GRACE: Duration = Duration::from_millis(100);

/// The deadlines of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How long it may wait to be started.
    pub(crate) queue: Option<Duration>,
    /// How long it may run.
    pub(crate) hard: Option<Duration>,
    /// Whether it shares its worker's thread with others, as a call of an `async fn` does.
    pub(crate) shares: bool,
}

impl Dispatch {
    pub(super) fn on_call(&mut self, now: Instant, run: Segment, terms: Terms) {
        self.taken_in += u64::from(run.count);
        if terms.queue.is_some() || terms.hard.is_some() {
            self.terms.insert(run.first, terms);
        }
        self.queue.push_waiting(Waiting {
            run,
            since: now,
            due: terms.queue.map(|limit| now + limit),
            shares: terms.shares,
        });
    }

    /// Nobody waits for a call any more. One that waits is cancelled at once; one that a worker has when it ends, or is
    /// ended for it.
    pub(super) fn on_withdraw(&mut self, now: Instant, index: ItemIndex) {
        if let Some(item) = self.queue.withdraw(index) {
            return self.deliver(item.lost(Lost::Cancelled));
        }
        if self
            .workers
            .values_mut()
            .any(|slot| slot.item(index).is_some())
        {
            self.cancelled.entry(index).or_insert(now);
        }
    }

    /// Those that are cancelled and have come back are not given out again.
    pub(super) fn drop_cancelled(&mut self) {
        let cancelled: Vec<_> = self.cancelled.keys().copied().collect();
        for index in cancelled {
            if let Some(item) = self.queue.withdraw(index) {
                self.deliver(item.stopped(Lost::Cancelled));
            }
        }
    }

    /// Tells those that have waited for longer than they may.
    pub(super) fn end_waits_of_calls(&mut self, now: Instant) {
        for run in self.queue.expire_calls(now) {
            let terms = self.terms.get(&run.first).copied().unwrap_or_default();
            let limit = terms.queue.unwrap_or_default();
            for item in items_of(run) {
                let deadline = Deadline::Queue;
                self.deliver(item.lost(Lost::TimedOut { deadline, limit }));
            }
        }
    }

    /// Kills the workers in which a call runs for longer than it may.
    pub(super) fn end_overruns_of_calls(&mut self, now: Instant) {
        if self.terms.is_empty() && self.cancelled.is_empty() {
            return;
        }
        let over = |since: &Instant| *since + CANCEL_GRACE <= now;
        let cancelled = self.cancelled.iter().filter(|(_, since)| over(since));
        let mut limits: BTreeMap<_, _> = cancelled
            .map(|(index, _)| (*index, Duration::ZERO))
            .collect();
        for (index, terms) in &self.terms {
            if let Some(limit) = terms.hard {
                limits.entry(*index).or_insert(limit);
            }
        }
        for worker in self.workers_that(|slot| slot.phase != SlotPhase::Dying) {
            let Some(slot) = self.workers.get_mut(&worker) else {
                continue;
            };
            let late = slot.late_calls(now, &limits);
            if !late.is_empty() {
                slot.overrun_calls = late;
                self.kill(worker, DeathCause::Overran);
            }
        }
    }
}
