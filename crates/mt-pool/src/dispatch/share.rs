//! Sharing a pool with other runs: who has workers lets one go for who has none.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use super::{
    Dispatch,
    worker_slot::{SlotPhase, WorkerSlot},
};

/// How long a run may keep its only worker while another run has none. Long beside the setup of a worker, short for who
/// waits.
const TURN: Duration = Duration::from_millis(100);

impl Dispatch {
    /// Lets go what has nothing to do, and one worker that has: at once if there are others, otherwise when its turn is
    /// over. What it has been given it finishes first.
    pub(super) fn share(&mut self, now: Instant) {
        for worker in self.workers_that(WorkerSlot::is_idle) {
            self.release(now, worker);
        }
        if self.is_closed() {
            return;
        }
        let goes =
            |slot: &WorkerSlot| slot.yielding || matches!(slot.phase, SlotPhase::Leaving { .. });
        if self.workers.values().any(goes) {
            return;
        }
        let ready = self.workers.iter().filter(|(_, slot)| is_busy(slot));
        let is_only = self.workers.len() == 1;
        let over = |slot: &WorkerSlot| !is_only || turn_of(slot).is_some_and(|end| end <= now);
        let next = ready.filter(|(_, slot)| over(slot));
        let next = next
            .min_by_key(|(_, slot)| slot.in_hand())
            .map(|(worker, _)| *worker);
        if let Some(slot) = next.and_then(|worker| self.workers.get_mut(&worker)) {
            slot.yielding = true;
        }
    }

    /// Takes note of whether another run waits for a worker and has none.
    pub(super) fn on_wanted(&mut self, wanted: bool) {
        self.wanted = wanted;
        if !wanted {
            self.workers
                .values_mut()
                .for_each(|slot| slot.yielding = false);
        }
    }

    /// When the turn of the only worker is over, if others wait for that.
    pub(super) fn turn_due(&self) -> Option<Instant> {
        if !self.wanted || self.is_closed() || self.workers.len() > 1 {
            return None;
        }
        let mut busy = self.workers.values().filter(|slot| is_busy(slot));
        busy.next().and_then(turn_of)
    }
}

fn is_busy(slot: &WorkerSlot) -> bool {
    slot.phase == SlotPhase::Ready && slot.in_hand() > 0 && !slot.yielding
}

fn turn_of(slot: &WorkerSlot) -> Option<Instant> {
    slot.turn_began.map(|then| then + TURN)
}
