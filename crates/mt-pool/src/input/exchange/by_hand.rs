//! Feeding a run by hand: threads that push items themselves, in place of a feeder that pulls an
//! input.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use mt_proto::ItemIndex;

use super::Exchange;

/// Why an item can't be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// As many items as there may be are on the way.
    Full,
    /// Nothing is taken any more.
    Closed,
}

impl Exchange {
    /// Waits for room for one item, until then at most; for ever without a time. The item has to follow, by
    /// [`hand_in`](Self::hand_in).
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was reserved then.
    pub(crate) fn reserve_until(&self, until: Option<Instant>) -> Result<(), NoRoom> {
        let mut state = self.lock();
        loop {
            if state.closed || state.ended {
                return Err(NoRoom::Closed);
            }
            if self.has_room(&state) {
                state.outstanding += 1;
                return Ok(());
            }
            let left = until.map_or(Duration::MAX, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Err(NoRoom::Full);
            }
            state.feeder_waits = true;
            let waited = self.room.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reserves room for up to `most` items, without waiting. Returns how many there is room for; they
    /// have to follow, by [`push_some`](Self::push_some).
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was reserved then.
    pub(crate) fn try_reserve(&self, most: u64) -> Result<u64, NoRoom> {
        let mut state = self.lock();
        if state.closed || state.ended {
            return Err(NoRoom::Closed);
        }
        if most == 0 || !self.has_room(&state) {
            return Err(NoRoom::Full);
        }
        let room = self.limits.capacity - state.outstanding;
        let reserved = room.min(most);
        state.outstanding += reserved;
        Ok(reserved)
    }

    /// Hands in the item room was reserved for, encoded as a record. Returns its index; `None` when the
    /// run has been closed meanwhile, and the item is not part of it.
    pub(crate) fn hand_in(&self, record: &[u8]) -> Option<ItemIndex> {
        let mut state = self.lock();
        if state.is_too_late() {
            return None;
        }
        let index = state.append(record);
        self.wake_supervisor(state);
        Some(index)
    }

    /// No item follows any more. Those who wait for room are told.
    pub(crate) fn end_by_hand(&self) {
        self.end_after_last();
        self.room.notify_all();
    }

    /// Whether items may still be pushed.
    pub(crate) fn takes_items(&self) -> bool {
        let state = self.lock();
        !state.closed && !state.ended
    }

    /// Whether the consumer has ended the run.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }
}
