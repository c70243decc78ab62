//! What workers use of memory, and what becomes of those that use too much.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;

use super::{
    Dispatch, Effect,
    worker_slot::{SlotPhase, WorkerSlot},
};
use crate::supervision::DeathCause;

/// Where dispatch stops, of the budget.
const HIGH_MARK: f64 = 0.9;

/// Whose memory is short, so that one item runs at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryShortage {
    /// The workers use nearly all of their [budget](crate::limits::MemoryLimits::budget_bytes).
    Budget,
    /// The machine, or the container, has hardly any left, whoever uses it: more than
    /// [`pause_above`](crate::limits::MemoryLimits::pause_above) is used.
    Machine,
}

impl Dispatch {
    pub(super) fn on_weighed(&mut self, weights: &[(WorkerId, u64)], machine_high: bool) {
        let memory = self.config.memory;
        for &(worker, rss) in weights {
            if let Some(slot) = self.workers.get_mut(&worker) {
                slot.rss = rss;
            }
            if let Some(limit) = memory.max_rss_bytes.filter(|&limit| rss > limit) {
                self.kill(worker, exceeded(rss, limit));
            }
        }
        let total: u64 = self.workers.values().map(|slot| slot.rss).sum();
        let near = |budget| total as f64 >= budget as f64 * HIGH_MARK;
        let shortage = match memory.budget_bytes {
            Some(budget) if near(budget) => Some(MemoryShortage::Budget),
            _ => machine_high.then_some(MemoryShortage::Machine),
        };
        if shortage != self.shortage {
            self.shortage = shortage;
            self.effects.push_back(Effect::Shortage(shortage));
        }
        if let Some(limit) = memory.budget_bytes.filter(|&budget| total > budget) {
            self.make_room(total, limit);
        }
    }

    /// Kills the youngest worker, one at a time. If it is the only one, what it runs needs more than
    /// there is.
    fn make_room(&mut self, total: u64, limit: u64) {
        if self
            .workers
            .values()
            .any(|slot| slot.phase == SlotPhase::Dying)
        {
            return;
        }
        let cause = match self.workers.len() {
            1 => exceeded(total, limit),
            _ => DeathCause::Displaced,
        };
        if let Some((&youngest, _)) = self.workers.last_key_value() {
            self.kill(youngest, cause);
        }
    }

    /// Goes on with as little as possible: one item at a time, and workers that have nothing to do give
    /// back what they use.
    pub(super) fn feed_little(&mut self, now: Instant) {
        let gives_back = self.shortage == Some(MemoryShortage::Budget);
        let goes = |slot: &WorkerSlot| slot.quota == Some(0) || (gives_back && !slot.is_fresh());
        for worker in self.workers_that(|slot| slot.is_idle() && goes(slot)) {
            self.retire(now, worker);
        }
        if self.workers.is_empty() && self.wants_worker() && self.restarts.allows(now) {
            self.start_worker();
        }
        let idle = self.workers_that(WorkerSlot::is_idle);
        let Some(&worker) = idle.first().filter(|_| !self.is_working()) else {
            return;
        };
        if self.queue.suspects() > 0 {
            self.feed_suspects(now);
        } else if let Some(item) = self.queue.pop_again() {
            self.send_again(now, worker, &item);
        } else if let Some(waiting) = self.queue.pop(1) {
            self.send(now, worker, waiting);
        } else {
            let shares = self.queue.calls.waiting(false) == 0;
            self.give_calls(now, worker, shares, 1);
        }
    }
}

fn exceeded(rss_bytes: u64, limit_bytes: u64) -> DeathCause {
    DeathCause::MemoryExceeded {
        rss_bytes,
        limit_bytes,
    }
}
