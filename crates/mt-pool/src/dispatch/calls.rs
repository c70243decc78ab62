//! Single calls: taken in, given out, and given up by whoever waits for them.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use mt_proto::{ItemIndex, Segment, WorkerId};

use super::{
    Dispatch, Effect, Lost,
    call_line::{NextCalls, Terms},
    worker_slot::WorkerSlot,
};

/// How long a call may keep others waiting that were sent ahead to the same worker: they are quick, so this is more than twice
/// as long as it was to take.
const STUCK: Duration = Duration::from_millis(5);

impl Dispatch {
    pub(super) fn on_calls(&mut self, now: Instant, calls: Vec<(Segment, Terms)>) {
        self.taken_in += calls.len() as u64;
        for (run, terms) in calls {
            self.queue.calls.join(now, run, terms);
        }
    }

    /// Gives calls out: to those workers that have the fewest that need a thread for themselves, so that none waits behind
    /// another while a worker has nothing to do. Those of `async fn`s have places of their own, because they take none
    /// of the others'.
    pub(super) fn feed_calls(&mut self, now: Instant) {
        if self.queue.calls.has_none() {
            return;
        }
        for shares in [false, true] {
            while self.queue.calls.waiting(shares) > 0
                && let Some(worker) =
                    self.hungriest_of(self.reserved(), |slot| self.room_for(slot, shares))
            {
                let slot = &self.workers[&worker];
                let share = self
                    .fair_share_of_calls(shares)
                    .saturating_sub(match shares {
                        true => slot.sharing(),
                        false => slot.plain_in_hand(),
                    });
                let room = self.room_for(slot, shares).min(share.max(1));
                self.give_calls(now, worker, shares, room);
            }
        }
    }

    /// Gives a worker what comes next of a kind, up to so many that came together.
    pub(super) fn give_calls(&mut self, now: Instant, worker: WorkerId, shares: bool, most: u32) {
        match self.queue.calls.pop(now, shares, most) {
            Some(NextCalls::Untouched(piece)) => {
                self.prepare(worker, piece.waiting.run.first);
                self.give(now, worker, piece);
            }
            Some(NextCalls::Again(item)) => self.send_again(now, worker, &item),
            None => {}
        }
    }

    fn room_for(&self, slot: &WorkerSlot, shares: bool) -> u32 {
        match shares {
            true => slot.room_to_share(self.config.most_shared),
            false => slot.room(),
        }
    }

    /// What each worker would have if all calls of a kind were dealt out evenly.
    fn fair_share_of_calls(&self, shares: bool) -> u32 {
        let held = |slot: &WorkerSlot| match shares {
            true => slot.sharing(),
            false => slot.plain_in_hand(),
        };
        let held: u64 = self
            .workers
            .values()
            .map(|slot| u64::from(held(slot)))
            .sum();
        let all = held + self.queue.calls.waiting(shares) as u64;
        let workers = (self.workers.len() as u64).max(1);
        u32::try_from(all.div_ceil(workers)).unwrap_or(u32::MAX)
    }

    /// Takes back the calls that wait in a worker behind one that takes long. Those that were begun meanwhile stay there.
    pub(super) fn take_back_stuck(&mut self, now: Instant) {
        if self.queue.calls.has_none() {
            return;
        }
        let is_stuck =
            |slot: &WorkerSlot| slot.stuck_since().is_some_and(|since| since + STUCK <= now);
        for worker in self.workers_that(is_stuck) {
            let Some(slot) = self.workers.get_mut(&worker) else {
                continue;
            };
            slot.stuck = true;
            for index in slot.behind_first() {
                self.queue.calls.take_back(index);
                self.effects.push_back(Effect::Withdraw(worker, index));
            }
        }
    }

    /// When calls are to be taken back.
    pub(super) fn stuck_due(&self) -> Option<Instant> {
        if self.queue.calls.has_none() {
            return None;
        }
        let since = self.workers.values().filter_map(WorkerSlot::stuck_since);
        since.min().map(|since| since + STUCK)
    }

    /// Nobody waits for a call any more. One that waits is cancelled at once; one that a worker has when it ends, or is
    /// ended for it.
    pub(super) fn on_withdraw(&mut self, now: Instant, index: ItemIndex) {
        if let Some(item) = self.queue.withdraw(index) {
            return self.deliver(item.lost(Lost::Cancelled));
        }
        let mut workers = self.workers.iter_mut();
        let holder = workers.find_map(|(worker, slot)| slot.item(index).map(|_| *worker));
        if let Some(worker) = holder {
            self.queue.calls.withdraw(index, now);
            self.effects.push_back(Effect::Withdraw(worker, index));
        }
    }

    /// Calls that nobody waits for and that have come back are not given out again.
    pub(super) fn drop_withdrawn(&mut self) {
        if self.queue.calls.has_none() {
            return;
        }
        for index in self.queue.calls.withdrawn() {
            if let Some(item) = self.queue.withdraw(index) {
                self.deliver(item.lost(Lost::Cancelled));
            }
        }
    }
}
