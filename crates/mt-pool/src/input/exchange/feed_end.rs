//! The end of an exchange that items go into.

use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use mt_proto::{ItemIndex, RecordBuffer, Segment};

use super::{Block, Exchange, ExchangeState};
use crate::dispatch::Delivery;

/// Where items go in: a feeder's, or that of threads that push items by hand.
#[derive(Debug)]
pub(crate) struct FeedEnd(pub(super) Arc<Exchange>);

impl FeedEnd {
    /// Waits for room for one more item, blocking the thread. False when none is wanted any
    /// more.
    pub(crate) fn reserve(&self) -> bool {
        let mut state = self.0.lock();
        while !self.0.has_room(&state) && !state.closed {
            state.feeder_waits = true;
            state = self
                .0
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.feeder_waits = false;
        state.outstanding += 1;
        !state.closed
    }

    /// Feeder: [`reserve`](Self::reserve) for up to `most` items at once. Returns how many; 0 when none
    /// are wanted any more. What is not used goes back with [`give_back`](Self::give_back).
    pub(crate) fn reserve_some(&self, most: u64) -> u64 {
        if !self.reserve() {
            self.give_back(1);
            return 0;
        }
        let mut state = self.0.lock();
        let more = self
            .0
            .limits
            .capacity
            .saturating_sub(state.outstanding)
            .min(most - 1);
        state.outstanding += more;
        more + 1
    }

    /// So many of the reserved items do not come.
    pub(crate) fn give_back(&self, items: u64) {
        let mut state = self.0.lock();
        state.outstanding = state.outstanding.saturating_sub(items);
    }

    /// Adds `items`, which room was reserved for.
    pub(crate) fn push_some(&self, items: &mut RecordBuffer) {
        if items.is_empty() {
            return;
        }
        let mut state = self.0.lock();
        let count = items.count();
        if state.closed {
            state.outstanding = state.outstanding.saturating_sub(u64::from(count));
            return;
        }
        state.seal();
        let records = items.take();
        state.waiting_bytes += records.len();
        state.waiting += u64::from(count);
        let run = Segment {
            first: state.next,
            count,
            records,
        };
        state.next = run.end();
        state.sealed.push_back(Block::Items(run));
        self.0.wake_driver(state);
    }

    /// The same as a future. Not cancel-safe.
    pub(crate) async fn reserve_async(&self) -> bool {
        loop {
            let room = self.0.room_async.notified();
            {
                let mut state = self.0.lock();
                if self.0.has_room(&state) || state.closed {
                    state.feeder_waits = false;
                    state.outstanding += 1;
                    return !state.closed;
                }
                state.feeder_waits = true;
            }
            room.await;
        }
    }

    /// Adds the item room was reserved for, encoded as a record.
    pub(crate) fn push(&self, record: &[u8]) {
        let state = self.add(record);
        self.0.wake_driver(state);
    }

    /// Feeder: [`push`](Self::push) and [`reserve`](Self::reserve) for the next item in one go.
    #[inline]
    pub(crate) fn push_and_reserve(&self, record: &[u8]) -> bool {
        let mut state = self.add(record);
        if !state.is_due() && !state.closed && self.0.has_room(&state) {
            state.outstanding += 1;
            return true;
        }
        self.0.wake_driver(state);
        self.reserve()
    }

    fn add(&self, record: &[u8]) -> MutexGuard<'_, ExchangeState> {
        let mut state = self.0.lock();
        if !state.is_too_late() {
            state.append(record);
        }
        state
    }

    /// The same for a long item, which makes a block of its own without being copied.
    pub(crate) fn push_long(&self, record: Bytes) {
        let mut state = self.0.lock();
        if state.is_too_late() {
            return;
        }
        state.seal();
        state.waiting_bytes += record.len();
        state.waiting += 1;
        let run = Segment {
            first: state.next,
            count: 1,
            records: record,
        };
        state.sealed.push_back(Block::Items(run));
        state.next = state.next.plus(1);
        self.0.wake_driver(state);
    }

    /// The item room was reserved for can't be sent.
    pub(crate) fn push_refused(&self, refuse: impl FnOnce(ItemIndex) -> Delivery) {
        let mut state = self.0.lock();
        if state.is_too_late() {
            return;
        }
        state.seal();
        let delivery = refuse(state.next);
        state.sealed.push_back(Block::Refused(delivery));
        state.next = state.next.plus(1);
        state.wake_at = Some(0);
        self.0.wake_driver(state);
    }

    /// There is no item after all, and there will be none.
    pub(crate) fn end(&self) {
        let mut state = self.0.lock();
        state.outstanding -= 1;
        state.ended = true;
        state.wake_at = Some(0);
        self.0.wake_driver(state);
    }

    /// There will be no further item; the last one was pushed.
    pub(crate) fn end_after_last(&self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.wake_at = Some(0);
        self.0.wake_driver(state);
    }
}
