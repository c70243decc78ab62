//! Results that wait, for their turn or for a consumer that is slow, hold back the calls that would make more of them.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! What workers have been given can't be taken back, and how long its results will be nobody knows. So what is held back
//! is the start of their calls: each worker has a gate, an item from which on it starts none. As long as too much waits
//! for its turn, the gate of all is behind the one item whose turn it is, which therefore goes on wherever it is. As long
//! as the consumer takes nothing, it is before all items. Calls that run already go on, and their results are taken.

use std::time::Instant;

use mt_proto::{ItemIndex, WorkerId};

use super::{
    Dispatch, Effect,
    queue::WaitsAs,
    worker_slot::{SlotPhase, WorkerSlot},
};

impl Dispatch {
    /// Whether so much waits for its turn that only the item is done whose turn it is.
    pub(super) fn is_over(&self) -> bool {
        self.config.ordered && self.reorder.len_bytes() >= self.config.buffer_bytes
    }

    /// Gives out the item whose turn it is, if it waits for a worker, and nothing else but suspects, of which no worker has
    /// more than one.
    pub(super) fn feed_head(&mut self, now: Instant) {
        self.give_up_if_hopeless();
        let head = self.reorder.next();
        // They can be given nothing more, and nobody takes their place as long as they are here.
        for worker in self.workers_that(|slot| slot.is_idle() && slot.room() == 0) {
            self.retire(now, worker);
        }
        if self.workers.is_empty() && self.wants_worker() && self.restarts.allows(now) {
            self.start_worker();
        }
        let Some(waits_as) = self.queue.bring_forward(head) else {
            return;
        };
        match waits_as {
            WaitsAs::Suspect => self.feed_suspects(now),
            WaitsAs::Again => {
                if let Some(worker) = self.hungriest(0)
                    && let Some(item) = self.queue.pop_again()
                {
                    self.send_again(now, worker, &item);
                }
            }
            WaitsAs::Untouched => {
                if let Some(worker) = self.hungriest(0)
                    && let Some(waiting) = self.queue.pop(1)
                {
                    self.send(now, worker, waiting);
                }
            }
        }
    }

    /// Opens and closes the workers' gates.
    pub(super) fn set_gates(&mut self) {
        let over = self.is_over() && !self.is_dropped();
        let paused = self.paused && !self.is_dropped();
        if !(over || paused || self.is_gated) {
            return;
        }
        self.is_gated = false;
        let head = self.reorder.next();
        let opened = if over && !paused {
            self.makes_room(head)
        } else {
            None
        };
        for (&worker, slot) in &mut self.workers {
            if slot.phase != SlotPhase::Ready {
                continue;
            }
            let goes_on = slot.yielding || slot.resting || opened == Some(worker);
            let gate = match (paused, over) {
                _ if goes_on => None,
                (true, _) => Some(ItemIndex(0)),
                // Or it would never come to the one that counts.
                (false, true) if slot.has_behind_later(head) => None,
                (false, true) => Some(head.plus(1)),
                (false, false) => None,
            };
            if gate != slot.gate {
                slot.gate = gate;
                self.effects.push_back(Effect::Gate(worker, gate));
            }
            self.is_gated |= gate.is_some();
        }
    }

    /// The worker that finishes what it has, so that there is one for the item whose turn it is; `None` if that has one, or
    /// waits for its time.
    fn makes_room(&mut self, head: ItemIndex) -> Option<WorkerId> {
        self.queue.bring_forward(head)?;
        let busy = |slot: &WorkerSlot| slot.phase == SlotPhase::Ready && slot.in_hand() > 0;
        let ready = self.workers.iter().filter(|(_, slot)| busy(slot));
        let least = ready.min_by_key(|(_, slot)| slot.in_hand());
        least.map(|(worker, _)| *worker)
    }
}
