//! What holds for single calls, where it is not what holds for all: their deadlines.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use mt_proto::{ItemIndex, Segment};

use super::{Dispatch, Lost, queue::Waiting};

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

    /// Calls that are cancelled and have come back are not given out again.
    pub(super) fn drop_cancelled(&mut self) {
        let cancelled: Vec<_> = self.cancelled.keys().copied().collect();
        for index in cancelled {
            if let Some(item) = self.queue.withdraw(index) {
                self.deliver(item.stopped(Lost::Cancelled));
            }
        }
    }
}
