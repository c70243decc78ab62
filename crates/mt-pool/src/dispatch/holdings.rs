//! What the workers of a run hold together: kept, because every event asks for it, however many there are.
//!
//! Pure: no IO, no clock, no runtime.

use mt_proto::WorkerId;

use super::{Dispatch, worker_slot::WorkerSlot};

/// The sum over some workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holdings {
    /// Items given out that have no outcome yet.
    pub(super) items: u64,
    /// The bytes of the pieces that these came in.
    pub(super) bytes: usize,
    /// The workers that hold any.
    pub(super) busy: usize,
}

impl Holdings {
    fn of(slot: &WorkerSlot) -> Self {
        Self {
            items: slot.in_hand().into(),
            bytes: slot.held_bytes(),
            busy: usize::from(slot.in_hand() > 0),
        }
    }

    fn replace(&mut self, before: Self, after: Self) {
        self.items = self.items - before.items + after.items;
        self.bytes = self.bytes - before.bytes + after.bytes;
        self.busy = self.busy - before.busy + after.busy;
    }
}

impl Dispatch {
    /// Changes what a worker holds, if it is there. Nothing else does.
    pub(super) fn change<R>(
        &mut self,
        worker: WorkerId,
        change: impl FnOnce(&mut WorkerSlot) -> R,
    ) -> Option<R> {
        let slot = self.workers.get_mut(&worker)?;
        let before = Holdings::of(slot);
        let result = change(slot);
        self.held.replace(before, Holdings::of(slot));
        Some(result)
    }

    /// Takes out a worker that is gone, with what it held.
    pub(super) fn remove(&mut self, worker: WorkerId) -> Option<WorkerSlot> {
        let slot = self.workers.remove(&worker)?;
        self.held.replace(Holdings::of(&slot), Holdings::default());
        Some(slot)
    }

    /// The sum, counted anew.
    pub(super) fn count_held(&self) -> Holdings {
        let mut sum = Holdings::default();
        for slot in self.workers.values() {
            sum.replace(Holdings::default(), Holdings::of(slot));
        }
        sum
    }
}
