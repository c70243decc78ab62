//! Giving items out: who gets how many, and when a worker is started or sent home.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;

use super::{
    Dispatch, Effect, WakeAt,
    attempt_history::RetryItem,
    piece::{Piece, Waiting},
    worker_slot::{SlotPhase, WorkerSlot},
};

/// The plain calls that may wait to be taken in while no worker has room for one.
const CALLS_LEFT: u64 = 64;

impl Dispatch {
    /// How many items make it worth looking at the input before something else happens: one, if
    /// anybody has nothing to do; otherwise a good part of what the least busy worker has. Plain calls that no worker has
    /// room for can wait until one has, and it tells.
    pub(crate) fn worth_waking_for(&self) -> WakeAt {
        if self.workers.len() < self.config.processes as usize {
            return WakeAt::EACH;
        }
        if self.config.takes_all {
            let mut workers = self.workers.values();
            return match workers.any(|slot| slot.phase == SlotPhase::Ready && slot.room() > 0) {
                true => WakeAt::EACH,
                false => WakeAt {
                    first: CALLS_LEFT,
                    next: CALLS_LEFT,
                },
            };
        }
        let least = self.workers.values().map(WorkerSlot::in_hand).min();
        WakeAt {
            first: 1,
            next: u64::from(least.unwrap_or(0) / 4).max(1),
        }
    }

    pub(super) fn feed(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.queue.wake(now);
        self.notice_tired(now);
        self.let_idle_go(now);
        if self.paused {
            return;
        }
        if self.is_over() {
            return self.feed_head(now);
        }
        if self.shortage.is_some() {
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
        self.feed_calls(now);
    }

    /// One worker for every item there is, up to the limit.
    pub(super) fn wants_worker(&self) -> bool {
        if self.is_closed() {
            return false;
        }
        let items = self.queue.items() + self.queue.suspects() as u64 + self.held.items;
        let there = self.places_taken();
        let kept = if self.input_ended {
            0
        } else {
            self.config.min_processes
        };
        there < u64::from(self.config.processes) && there < items.max(kept.into())
    }

    /// Gives suspects, each alone, to workers that hold nothing.
    pub(super) fn feed_suspects(&mut self, now: Instant) {
        while let Some(fresh) = self.queue.next_suspect() {
            let idle = self.workers_that(|slot| slot.is_idle() && slot.room() > 0);
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
            }
            self.send_again(now, worker, &suspect);
        }
    }

    /// Gives out, one by one, items that come back and need not be alone.
    fn feed_again(&mut self, now: Instant) {
        while self.queue.has_again()
            && let Some(worker) = self.hungriest(self.reserved())
            && let Some(item) = self.queue.pop_again()
        {
            self.send_again(now, worker, &item);
        }
    }

    /// Deals items to the workers that hold the fewest, none more than its fair share.
    fn feed_items(&mut self, now: Instant) {
        while self.queue.has_untouched()
            && let Some(worker) = self.hungriest(self.reserved())
        {
            let room = self.ration(&self.workers[&worker]);
            if room == 0 {
                return;
            }
            let Some(waiting) = self.queue.pop(room) else {
                return;
            };
            self.send(now, worker, waiting);
        }
    }

    /// Sends untouched items, with what is left of the time they may wait.
    pub(super) fn send(&mut self, now: Instant, worker: WorkerId, waiting: Waiting) {
        let limit = self.config.queue_deadline;
        let due = limit.map(|limit| waiting.since + limit);
        let piece = Piece {
            waiting,
            due,
            shares: false,
        };
        self.give(now, worker, piece);
    }

    #[inline]
    pub(super) fn give(&mut self, now: Instant, worker: WorkerId, piece: Piece) {
        let Piece {
            waiting,
            due,
            shares,
        } = piece;
        let left = due.map(|due| due.saturating_duration_since(now));
        let send = Effect::Send(worker, waiting.run.clone(), left);
        let given = self.change(worker, |slot| slot.give(waiting, shares, now));
        if given.is_some() {
            self.effects.push_back(send);
        }
    }

    pub(super) fn send_again(&mut self, now: Instant, worker: WorkerId, item: &RetryItem) {
        let terms = self.queue.calls.terms(item.index);
        let shares = terms.is_some_and(|terms| terms.shares);
        self.queue.calls.set_given(item.index, Some(now));
        self.prepare(worker, item.index);
        if let Some(run) = self.change(worker, |slot| slot.give_retry(item, shares, now)) {
            self.effects.push_back(Effect::Send(worker, run, None));
        }
    }

    /// The workers left to run dry so that suspects that wait can have them: up to half of all.
    pub(super) fn reserved(&self) -> usize {
        match self.queue.suspects() {
            0 => 0,
            suspects => {
                let half = (self.workers.len() / 2).max(1);
                let busy_alone = self.workers.values().filter(|slot| slot.alone).count();
                suspects.min(half).saturating_sub(busy_alone)
            }
        }
    }

    /// The ready worker with the fewest items that may be given more, but for so many that have fewer.
    pub(super) fn hungriest(&self, reserved: usize) -> Option<WorkerId> {
        self.hungriest_of(reserved, WorkerSlot::room)
    }

    pub(super) fn hungriest_of(
        &self,
        reserved: usize,
        room: impl Fn(&WorkerSlot) -> u32,
    ) -> Option<WorkerId> {
        let max_pieces = self.config.max_pieces as usize;
        let open = self.workers.iter().filter(|(_, slot)| {
            slot.phase == SlotPhase::Ready && room(slot) > 0 && slot.pieces() < max_pieces
        });
        let open = open.map(|(worker, slot)| (slot.plain_in_hand(), slot.in_hand(), *worker));
        if reserved == 0 {
            return open.min().map(|(_, _, worker)| worker);
        }
        let mut open: Vec<_> = open.collect();
        open.sort_unstable();
        open.get(reserved).map(|&(_, _, worker)| worker)
    }

    /// How many more a worker is given: what there is room for, up to its fair share of all items there are. Of the last
    /// ones to half of that, as in factoring (Hummel, Schonberg and Flynn 1992), because what a worker has done since its
    /// last report is not known; and these, too, by the quarter.
    fn ration(&self, slot: &WorkerSlot) -> u32 {
        let (share, floor) = (self.fair_share(), self.config.window_floor);
        if !self.input_ended {
            return slot.room().min(share.saturating_sub(slot.in_hand()));
        }
        let most = (share / 2).max(floor).min(share);
        let room = slot.room().min(most.saturating_sub(slot.in_hand()));
        let is_little = room < slot.window.size().min(most) / 4;
        if is_little && slot.in_hand() >= floor {
            0
        } else {
            room
        }
    }

    /// What each worker would hold if all items there are were dealt out evenly.
    fn fair_share(&self) -> u32 {
        let workers = (self.workers.len() as u64).max(1);
        let all = self.held.items + self.queue.items();
        u32::try_from(all.div_ceil(workers)).unwrap_or(u32::MAX)
    }
}
