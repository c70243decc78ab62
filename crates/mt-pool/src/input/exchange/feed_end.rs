//! The end of an exchange that items go into: a feeder's, or that of threads that push items by hand.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_proto::{Attachments, ItemIndex, RecordBuffer};
use tokio::runtime;

use super::{BLOCK_ITEMS, Exchange, RunControl};
use crate::dispatch::{Delivery, Event, Terms};

/// The calls that there is room for when the first has come.
const FIRST_CALLS: usize = 16;

/// Where items go in. Room for an item is reserved before it is pulled or made; then it has to be pushed or
/// [given back](Self::give_back).
#[derive(Debug)]
pub(crate) struct FeedEnd(pub(super) Arc<Exchange>);

/// A call, encoded.
#[derive(Debug, Clone)]
pub(crate) struct CallRecord {
    pub(crate) records: Bytes,
    pub(crate) attachments: Attachments,
}

/// Why an item can't be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// As many items as there may be are on the way.
    Full,
    Closed,
}

/// Why there is no point in waiting for a stream's next item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfed {
    /// The run takes no more items.
    Closed,
    /// The stream's runtime does not turn before the stream has yielded.
    Blocked,
}

impl FeedEnd {
    /// What ends the run, by others than whoever has its handle.
    pub(crate) fn control(&self) -> RunControl {
        RunControl(Arc::clone(&self.0))
    }

    /// Waits for room for one item, blocking the thread, until then at most; for ever without a time.
    pub(crate) fn reserve(&self, until: Option<Instant>) -> Result<(), NoRoom> {
        let mut state = self.0.lock();
        loop {
            if state.takes_nothing() {
                return Err(NoRoom::Closed);
            }
            if self.0.has_room(&state) {
                // Others that wait were woken together with this one: each that finds none says so again.
                state.feeder_waits = false;
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
            let waited = self.0.room.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The same as a future. Not cancel-safe.
    pub(crate) async fn reserve_async(&self) -> Result<(), NoRoom> {
        loop {
            let room = self.0.room_async.notified();
            {
                let mut state = self.0.lock();
                if state.takes_nothing() {
                    return Err(NoRoom::Closed);
                }
                if self.0.has_room(&state) {
                    state.feeder_waits = false;
                    state.outstanding += 1;
                    return Ok(());
                }
                state.feeder_waits = true;
            }
            room.await;
        }
    }

    /// Waits until there is no point any more in waiting for a stream, which has nothing ready; the room for one item is
    /// reserved. `turned_by_caller` is the runtime the stream needs, if that has one thread only. Cancel-safe.
    pub(crate) async fn unfed(&self, turned_by_caller: Option<runtime::Id>) -> Unfed {
        loop {
            let told = self.0.room_async.notified();
            {
                let state = self.0.lock();
                if state.takes_nothing() {
                    return Unfed::Closed;
                }
                // With others on the way, one of these will end the wait.
                let alone = state.outstanding <= 1;
                if alone && turned_by_caller.is_some() && state.blocked == turned_by_caller {
                    return Unfed::Blocked;
                }
            }
            told.await;
        }
    }

    /// Reserves room for up to `most` items, without waiting. Returns for how many.
    pub(crate) fn try_reserve(&self, most: u64) -> Result<u64, NoRoom> {
        let mut state = self.0.lock();
        if state.takes_nothing() {
            return Err(NoRoom::Closed);
        }
        if most == 0 || !self.0.has_room(&state) {
            return Err(NoRoom::Full);
        }
        let reserved = most.min(self.0.limits.capacity - state.outstanding);
        state.outstanding += reserved;
        Ok(reserved)
    }

    /// So many of the reserved items do not come.
    pub(crate) fn give_back(&self, items: u64) {
        let mut state = self.0.lock();
        state.outstanding = state.outstanding.saturating_sub(items);
    }

    /// Adds an item, encoded as a record. Returns its index; `None` when the run has been closed meanwhile, and
    /// the item is not part of it.
    pub(crate) fn push(&self, record: &[u8]) -> Option<ItemIndex> {
        let mut state = self.0.lock();
        if state.is_too_late() {
            return None;
        }
        let index = state.append(record);
        self.0.wake_driver(state);
        Some(index)
    }

    /// Adds an item, and reserves room for the next in one go if there is some.
    #[inline]
    pub(crate) fn push_and_reserve(&self, record: &[u8]) -> Result<(), NoRoom> {
        let mut state = self.0.lock();
        if !state.is_too_late() {
            state.append(record);
        }
        if !state.is_due() && !state.closed && self.0.has_room(&state) {
            state.outstanding += 1;
            return Ok(());
        }
        self.0.wake_driver(state);
        self.reserve(None)
    }

    /// Adds all these items as a block.
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
        state.add_block(count, items.take(), Attachments::NONE);
        self.0.wake_driver(state);
    }

    /// Adds a long item, or one with attachments, which makes a block of its own without being copied.
    pub(crate) fn push_alone(&self, record: Bytes, attachments: Attachments) {
        let mut state = self.0.lock();
        if state.is_too_late() {
            return;
        }
        state.add_block(1, record, attachments);
        self.0.wake_driver(state);
    }

    /// Adds a call, if there is one. `None`, and the call stays where it is, if no item is taken any more.
    pub(crate) fn push_call(&self, call: &mut Option<(CallRecord, Terms)>) -> Option<ItemIndex> {
        let mut state = self.0.lock();
        if state.takes_nothing() {
            return None;
        }
        let (call, terms) = call.take()?;
        state.outstanding += 1;
        // It does not need a thread for itself, or its time runs.
        if terms.shares || terms.queue.is_some() {
            state.wake_at = state.wake_at.map(|_| 0);
        }
        let call = state.new_block(1, call.records, call.attachments);
        let index = call.first;
        match state.sealed.back_mut() {
            Some(Event::Calls(calls)) if calls.len() < BLOCK_ITEMS as usize => {
                calls.push((call, terms));
            }
            _ => {
                let mut calls = Vec::with_capacity(FIRST_CALLS);
                calls.push((call, terms));
                state.sealed.push_back(Event::Calls(calls));
            }
        }
        self.0.wake_driver(state);
        Some(index)
    }

    /// Nobody waits for an item any more.
    pub(crate) fn withdraw(&self, index: ItemIndex) {
        let mut state = self.0.lock();
        state.seal();
        state.sealed.push_back(Event::Withdraw(index));
        state.wake_at = Some(0);
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
        state.sealed.push_back(Event::Refused(delivery));
        state.next = state.next.plus(1);
        state.wake_at = Some(0);
        self.0.wake_driver(state);
    }

    /// No item follows any more. Those who wait for room are told.
    pub(crate) fn end(&self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.wake_at = Some(0);
        self.0.wake_driver(state);
        self.0.room.notify_all();
    }

    pub(crate) fn takes_items(&self) -> bool {
        !self.0.lock().takes_nothing()
    }

    /// Whether the consumer has ended the run.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures::FutureExt as _;
    use mt_proto::RecordBuffer;

    use super::{
        super::{Ends, ExchangeLimits},
        *,
    };
    use crate::dispatch::WakeAt;

    fn exchange(capacity: u64) -> Ends {
        super::super::exchange(ExchangeLimits {
            capacity,
            buffer_bytes: 1000,
        })
    }

    fn now() -> Option<Instant> {
        Some(Instant::now())
    }

    #[test]
    fn room_is_what_is_not_outstanding() {
        let Ends { feed, consumer, .. } = exchange(3);
        assert_eq!(feed.reserve(now()), Ok(()));
        assert_eq!(feed.push(&[0; 5]), Some(ItemIndex(0)));
        assert_eq!(feed.try_reserve(0), Err(NoRoom::Full));
        assert_eq!(feed.try_reserve(10), Ok(2));
        assert_eq!(feed.try_reserve(1), Err(NoRoom::Full));
        assert_eq!(feed.reserve(now()), Err(NoRoom::Full));
        let mut two = RecordBuffer::default();
        two.push_raw(&[1]);
        two.push_raw(&[2]);
        feed.push_some(&mut two);
        consumer.on_consumed(1, 0);
        assert_eq!(feed.try_reserve(10), Ok(1));
        assert_eq!(feed.push(&[0; 5]), Some(ItemIndex(3)));
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let Ends { feed, control, .. } = exchange(3);
        assert_eq!(feed.reserve(now()), Ok(()));
        feed.end();
        assert!(!feed.takes_items());
        assert_eq!(feed.push(&[0; 5]), None, "reserved too early");
        assert_eq!(control.outstanding(), 0);
        assert_eq!(feed.reserve(None), Err(NoRoom::Closed));
        assert_eq!(feed.try_reserve(1), Err(NoRoom::Closed));
    }

    #[test]
    fn one_who_waits_is_told_once() {
        let Ends { feed, consumer, .. } = exchange(2);
        assert_eq!(feed.try_reserve(2), Ok(2));
        assert_eq!(feed.reserve_async().now_or_never(), None);
        consumer.on_consumed(1, 0);
        assert!(!feed.0.lock().feeder_waits, "they would be told of each");
        consumer.on_consumed(1, 0);
        assert_eq!(feed.try_reserve(2), Ok(2));
    }

    /// Plain calls gather while there is no room for them, but for those whose time runs.
    #[test]
    fn a_call_that_can_wait_wakes_nobody() {
        let Ends { feed, driver, .. } = exchange(10);
        let full = WakeAt { first: 3, next: 3 };
        let push = |terms| {
            let call = CallRecord {
                records: Bytes::from_static(&[0; 5]),
                attachments: Attachments::NONE,
            };
            assert!(feed.push_call(&mut Some((call, terms))).is_some());
            driver.filled().now_or_never().is_some()
        };
        let timed = || Terms {
            queue: Some(Duration::ZERO),
            ..Terms::default()
        };
        driver.take(u64::MAX, full, 0);
        let told = [(); 3].map(|()| push(Terms::default()));
        assert_eq!(told, [false, false, true]);
        assert!(!push(timed()), "it has been told");
        driver.take(u64::MAX, full, 0);
        assert!(push(timed()));
        driver.take(u64::MAX, WakeAt::EACH, 0);
        assert!(push(Terms::default()));
    }

    #[test]
    fn all_who_wait_get_room_or_are_told() {
        let Ends { feed, consumer, .. } = exchange(1);
        assert_eq!(feed.reserve(now()), Ok(()));
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let reserved = feed.reserve(None);
                        consumer.on_consumed(1, 0);
                        reserved
                    })
                })
                .collect();
            consumer.on_consumed(1, 0);
            for thread in waiting {
                assert_eq!(thread.join().expect("no panic"), Ok(()));
            }
            assert_eq!(feed.reserve(now()), Ok(()));
            let told = scope.spawn(|| feed.reserve(None));
            feed.end();
            assert_eq!(told.join().expect("no panic"), Err(NoRoom::Closed));
        });
    }
}
