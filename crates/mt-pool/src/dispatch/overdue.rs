//! Ends what has waited or run for too long.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::BTreeMap, time::Instant};

use mt_proto::Deadline;

use super::{Dispatch, Lost, piece::items_of, worker_slot::SlotPhase};
use crate::supervision::DeathCause;

impl Dispatch {
    /// Kills the workers in which an item runs for too long.
    pub(super) fn end_overruns(&mut self, now: Instant) {
        let Some(limit) = self.config.hard_deadline else {
            return;
        };
        for worker in self.workers_that(|slot| slot.phase != SlotPhase::Dying) {
            if let Some(slot) = self.workers.get_mut(&worker)
                && let Some(late) = slot.late(now, limit)
            {
                slot.overrun = Some(late);
                self.kill(worker, DeathCause::Overran);
            }
        }
    }

    /// Kills the workers in which a context that is being closed keeps the thread for too long.
    pub(super) fn end_closes(&mut self, now: Instant) {
        let Some(limit) = self.config.close_deadline else {
            return;
        };
        let late = |since: Instant| since + limit <= now;
        for worker in self.workers_that(|slot| slot.running.closes_since().is_some_and(late)) {
            self.kill(worker, DeathCause::CloseBlocked);
        }
    }

    pub(super) fn end_waits(&mut self, now: Instant) {
        let limit = self.config.queue_deadline.unwrap_or_default();
        for run in self.queue.expire(now) {
            for item in items_of(run) {
                let deadline = Deadline::Queue;
                self.deliver(item.lost(Lost::TimedOut { deadline, limit }));
            }
        }
    }

    /// Ends the calls that have waited for longer than each may.
    pub(super) fn end_waits_of_calls(&mut self, now: Instant) {
        if self.queue.calls.has_none() {
            return;
        }
        for (item, limit) in self.queue.calls.expire(now) {
            let deadline = Deadline::Queue;
            self.deliver(item.lost(Lost::TimedOut { deadline, limit }));
        }
    }

    /// Kills the workers in which a call runs for longer than it may, or goes on though nobody waits for it.
    pub(super) fn end_overruns_of_calls(&mut self, now: Instant) {
        let limits: BTreeMap<_, _> = self.queue.calls.limits().collect();
        if limits.is_empty() {
            return;
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
