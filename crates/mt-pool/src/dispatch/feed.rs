//! Giving items out: who gets how many, and when a worker is started or sent home.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;

use super::{
    Dispatch, Effect,
    machine::Mode,
    memory::Pressure,
    worker_slot::{Phase, WorkerSlot},
};

impl Dispatch {
    /// Gives out what can be given out.
    pub(super) fn feed(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Running) {
            return;
        }
        self.queue.wake(now);
        self.notice_tired(now);
        self.let_idle_go(now);
        if self.paused {
            return;
        }
        if self.pressure != Pressure::None {
            self.give_up_if_hopeless();
            return self.feed_little(now);
        }
        self.replace_tired(now);
        while self.wants_worker() && self.restarts.allows(now) {
            self.start_worker();
        }
        self.give_up_if_hopeless();
        self.feed_suspects(now);
        self.feed_again(now);
        self.feed_items(now);
    }

    /// One worker for every item there is, up to the limit.
    pub(super) fn wants_worker(&self) -> bool {
        if !matches!(self.mode, Mode::Running) {
            return false;
        }
        let in_hand: u64 = self
            .workers
            .values()
            .map(|slot| u64::from(slot.in_hand()))
            .sum();
        let items = self.queue.items() + self.queue.suspects() as u64 + in_hand;
        let crew = self.places_taken();
        let kept = match self.input_ended {
            true => 0,
            false => u64::from(self.config.min_processes),
        };
        crew < u64::from(self.config.processes) && crew < items.max(kept)
    }

    /// Gives suspects, each alone, to workers that hold nothing.
    pub(super) fn feed_suspects(&mut self, now: Instant) {
        while let Some(fresh) = self.queue.next_suspect() {
            let idle = |slot: &WorkerSlot| {
                slot.phase == Phase::Ready && slot.in_hand() == 0 && slot.room() > 0
            };
            let idle = self.workers_that(idle);
            let fits = |worker: &&WorkerId| !fresh || self.workers[worker].is_fresh();
            let Some(worker) = idle.iter().find(fits).copied() else {
                // A used one makes room for a fresh one.
                if let Some(&used) = idle.first() {
                    self.retire(now, used);
                }
                return;
            };
            let Some(suspect) = self.queue.pop_suspect() else {
                return;
            };
            if let Some(slot) = self.workers.get_mut(&worker) {
                slot.alone = true;
                let run = slot.give_retry(&suspect, now);
                self.effects.push_back(Effect::Send(worker, run, None));
            }
        }
    }

    /// Gives out, one by one, items that come back and need not be alone.
    fn feed_again(&mut self, now: Instant) {
        while let Some(worker) = self.hungriest() {
            let Some(item) = self.queue.pop_again() else {
                return;
            };
            if let Some(slot) = self.workers.get_mut(&worker) {
                let run = slot.give_retry(&item, now);
                self.effects.push_back(Effect::Send(worker, run, None));
            }
        }
    }

    /// Deals items to the workers that hold the fewest, none more than its fair share.
    fn feed_items(&mut self, now: Instant) {
        while self.queue.items() > 0 {
            let Some(worker) = self.hungriest() else {
                return;
            };
            let share = self.fair_share();
            let Some(slot) = self.workers.get_mut(&worker) else {
                return;
            };
            let room = slot.room().min(share.saturating_sub(slot.in_hand()));
            if room == 0 {
                return;
            }
            let Some(waiting) = self.queue.pop(room) else {
                return;
            };
            let limit = self.config.queue_deadline;
            let left = limit.map(|limit| (waiting.since + limit).saturating_duration_since(now));
            let send = Effect::Send(worker, waiting.run.clone(), left);
            slot.give(waiting);
            self.effects.push_back(send);
        }
    }

    /// The ready worker with the fewest items that may be given more. While suspects wait, up to half
    /// of the workers are left to run dry so that they can take them.
    fn hungriest(&self) -> Option<WorkerId> {
        let ready = |slot: &WorkerSlot| slot.phase == Phase::Ready;
        let reserved = match self.queue.suspects() {
            0 => 0,
            suspects => {
                let half = (self.workers.len() / 2).max(1);
                let busy_alone = self.workers.values().filter(|slot| slot.alone).count();
                suspects.min(half).saturating_sub(busy_alone)
            }
        };
        let max_pieces = self.config.max_pieces as usize;
        let mut open: Vec<(u32, WorkerId)> = self
            .workers
            .iter()
            .filter(|(_, slot)| ready(slot) && slot.room() > 0 && slot.pieces() < max_pieces)
            .map(|(worker, slot)| (slot.in_hand(), *worker))
            .collect();
        open.sort_unstable();
        open.get(reserved).map(|&(_, worker)| worker)
    }

    /// What each worker would hold if all items there are were dealt out evenly.
    fn fair_share(&self) -> u32 {
        let in_hand: u64 = self
            .workers
            .values()
            .map(|slot| u64::from(slot.in_hand()))
            .sum();
        let workers = (self.workers.len() as u64).max(1);
        u32::try_from((in_hand + self.queue.items()).div_ceil(workers)).unwrap_or(u32::MAX)
    }
}
