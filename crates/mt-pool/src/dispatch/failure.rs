//! What a death means for the items of the dead, and for the pool.
//!
//! Pure: no IO, no clock, no runtime.

use std::{sync::Arc, time::Instant};

use mt_proto::{Deadline, WorkerId};

use super::{
    Dispatch, Lost,
    attempt_history::RetryItem,
    machine::RunMode,
    worker_slot::{SlotPhase, WorkerSlot},
};
use crate::supervision::{Death, DeathCause, WorkerEnd, WorkerFailure};

impl Dispatch {
    /// A worker is gone for good: what it had finished stands, what it had not started goes back
    /// untouched, what it was running is suspect.
    pub(super) fn on_gone(&mut self, now: Instant, worker: WorkerId, end: WorkerEnd) {
        let Some(mut slot) = self.remove(worker) else {
            return;
        };
        if end.died_first {
            // What it was to be ended for did not end it.
            slot.verdict = None;
        }
        let left_in_peace = slot.is_excused() || matches!(slot.phase, SlotPhase::Leaving { .. });
        let salvage = slot.salvage(end.started);
        let blamed = !salvage.running.is_empty();
        self.queue.put_back(salvage.unstarted);
        for item in salvage.spared {
            self.queue.again(item);
        }
        let running = self.spare_finished(salvage.running, &slot, &end);
        let alone = running.len() == 1;
        let no_memory = slot.verdict.is_none() && end.death.cause == DeathCause::OutOfMemory;
        for (place, mut item) in running {
            if let Some((_, stdout)) = end.captured.as_ref().filter(|(of, _)| *of == item.index.0) {
                item.stdout = stdout.clone();
            }
            match &slot.verdict {
                _ if self.queue.calls.is_withdrawn(item.index) => {
                    self.deliver(item.stopped(Lost::Cancelled));
                }
                Some(DeathCause::Overran)
                    if slot.overrun.is_some_and(|late| late.contains(place))
                        || slot.overrun_calls.contains(&item.index) =>
                {
                    self.time_out(item);
                }
                Some(DeathCause::Stopped) => self.deliver(item.stopped(Lost::Cancelled)),
                // It may still be at it.
                _ if end.death.cause == DeathCause::OutOfReach => {
                    self.give_up_on(item, &end.death);
                }
                Some(DeathCause::Overran | DeathCause::Displaced | DeathCause::CloseBlocked) => {
                    self.displace(item, &end.death);
                }
                Some(DeathCause::MemoryExceeded {
                    rss_bytes,
                    limit_bytes,
                }) if alone => self.on_breach(item, *rss_bytes, Some(*limit_bytes)),
                None if no_memory && alone => self.on_breach(item, slot.rss, None),
                Some(DeathCause::MemoryExceeded { .. }) => self.isolate(item, &end.death),
                None if no_memory => self.isolate(item, &end.death),
                // A service that ends asks all of its processes to.
                None if end.death.cause == DeathCause::Terminated && self.is_draining() => {
                    self.deliver(item.stopped(Lost::Cancelled));
                }
                _ => self.judge(item, &end.death),
            }
        }
        self.drop_withdrawn();
        if left_in_peace || blamed || slot.fruitful || matches!(self.mode, RunMode::Stopped) {
            return;
        }
        self.on_fruitless(now, end);
    }

    /// What was running is to blame, and not what had finished before and was not reported: that is done again, or is
    /// lost if it must not be. Without anything that was running, what had finished may have left something behind.
    fn spare_finished(
        &mut self,
        running: Vec<(u64, RetryItem)>,
        slot: &WorkerSlot,
        end: &WorkerEnd,
    ) -> Vec<(u64, RetryItem)> {
        let is_stopped = slot.verdict == Some(DeathCause::Stopped);
        if !self.config.in_order || is_stopped {
            return running;
        }
        let once = self.config.crash_limit == 1;
        let (finished, running): (Vec<_>, Vec<_>) = running
            .into_iter()
            .partition(|&(place, _)| place < end.finished);
        if running.is_empty() && !once {
            return finished;
        }
        for (_, item) in finished {
            match once {
                true => {
                    let death = end.death.clone();
                    self.deliver(item.stopped(Lost::OutcomeLost { death }));
                }
                false => self.queue.again(item),
            }
        }
        running
    }

    /// Another chance for an item that was running when its worker died, or the end of its line.
    fn judge(&mut self, mut item: RetryItem, death: &Death) {
        if item.past.deaths + 1 < self.config.crash_limit {
            item.past.deaths += 1;
            self.queue.again(item);
            return;
        }
        self.give_up_on(item, death);
    }

    /// The end of an item's line.
    fn give_up_on(&mut self, mut item: RetryItem, death: &Death) {
        item.past.deaths += 1;
        let lost = Lost::Crashed {
            death: death.clone(),
            attempts: item.past.deaths,
        };
        self.deliver(item.lost(lost));
    }

    fn time_out(&mut self, item: RetryItem) {
        let own = self.queue.calls.terms(item.index);
        let own = own.and_then(|terms| terms.hard);
        let limit = own.or(self.config.hard_deadline).unwrap_or_default();
        let deadline = Deadline::Hard;
        self.deliver(item.stopped(Lost::TimedOut { deadline, limit }));
    }

    /// Another run of an item whose worker was killed for no fault of its own that is known.
    fn displace(&mut self, item: RetryItem, death: &Death) {
        if self.config.crash_limit == 1 {
            // It must not be started twice.
            self.judge(item, death);
        } else {
            self.queue.again(item);
        }
    }

    /// An item that was running when its worker was killed for its memory, and nothing else was. It may
    /// have been what earlier items had left behind, so it may be tried again in a worker without such.
    fn on_breach(&mut self, mut item: RetryItem, rss_bytes: u64, limit_bytes: Option<u64>) {
        item.past.fresh = true;
        item.past.breaches += 1;
        if item.past.breaches <= self.config.memory.oom_retries && self.config.crash_limit > 1 {
            self.queue.again(item);
            return;
        }
        let lost = Lost::MemoryExceeded {
            rss_bytes,
            limit_bytes,
            attempts: item.past.breaches,
        };
        self.deliver(item.lost(lost));
    }

    /// One of several items that were running when their worker was killed for its memory: it runs alone
    /// to see.
    fn isolate(&mut self, mut item: RetryItem, death: &Death) {
        item.past.fresh = true;
        self.displace(item, death);
    }

    pub(super) fn give_up_if_hopeless(&mut self) {
        if !self.workers.is_empty() || !self.wants_worker() || !self.restarts.spent() {
            return;
        }
        if let Some(cause) = self.last_failure.clone() {
            self.mode = RunMode::Failed(cause);
        }
    }

    /// A worker that did nothing and that nothing can be blamed for.
    fn on_fruitless(&mut self, now: Instant, end: WorkerEnd) {
        let died = || Arc::new(WorkerFailure::Died { death: end.death });
        let cause = end.failure.unwrap_or_else(died);
        self.restarts.on_fruitless(now);
        if cause.is_hopeless() {
            self.restarts.exhaust();
        }
        self.last_failure = Some(cause);
    }
}
