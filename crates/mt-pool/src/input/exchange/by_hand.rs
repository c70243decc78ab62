//! Feeding a run by hand: threads that push items themselves, in place of a feeder that pulls an
//! input.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use mt_proto::ItemIndex;

use super::FeedEnd;

/// Why an item can't be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// As many items as there may be are on the way.
    Full,
    /// Nothing is taken any more.
    Closed,
}

impl FeedEnd {
    /// Waits for room for one item, until then at most; for ever without a time. The item has to follow, by
    /// [`hand_in`](Self::hand_in).
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was reserved then.
    pub(crate) fn reserve_until(&self, until: Option<Instant>) -> Result<(), NoRoom> {
        let mut state = self.0.lock();
        loop {
            if state.closed || state.ended {
                return Err(NoRoom::Closed);
            }
            if self.0.has_room(&state) {
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

    /// Reserves room for up to `most` items, without waiting. Returns how many there is room for; they
    /// have to follow, by [`push_some`](Self::push_some).
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was reserved then.
    pub(crate) fn try_reserve(&self, most: u64) -> Result<u64, NoRoom> {
        let mut state = self.0.lock();
        if state.closed || state.ended {
            return Err(NoRoom::Closed);
        }
        if most == 0 || !self.0.has_room(&state) {
            return Err(NoRoom::Full);
        }
        let room = self.0.limits.capacity - state.outstanding;
        let reserved = room.min(most);
        state.outstanding += reserved;
        Ok(reserved)
    }

    /// Hands in the item room was reserved for, encoded as a record. Returns its index; `None` when the
    /// run has been closed meanwhile, and the item is not part of it.
    pub(crate) fn hand_in(&self, record: &[u8]) -> Option<ItemIndex> {
        let mut state = self.0.lock();
        if state.is_too_late() {
            return None;
        }
        let index = state.append(record);
        self.0.wake_driver(state);
        Some(index)
    }

    /// No item follows any more. Those who wait for room are told.
    pub(crate) fn end_by_hand(&self) {
        self.end_after_last();
        self.0.room.notify_all();
    }

    /// Whether items may still be pushed.
    pub(crate) fn takes_items(&self) -> bool {
        let state = self.0.lock();
        !state.closed && !state.ended
    }

    /// Whether the consumer has ended the run.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use mt_proto::RecordBuffer;

    use super::{
        super::{Ends, ExchangeLimits},
        *,
    };

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
        assert_eq!(feed.reserve_until(now()), Ok(()));
        assert_eq!(feed.hand_in(&[0; 5]), Some(ItemIndex(0)));
        assert_eq!(feed.try_reserve(0), Err(NoRoom::Full));
        assert_eq!(feed.try_reserve(10), Ok(2));
        assert_eq!(feed.try_reserve(1), Err(NoRoom::Full));
        assert_eq!(feed.reserve_until(now()), Err(NoRoom::Full));
        let mut two = RecordBuffer::default();
        two.push_raw(&[1]);
        two.push_raw(&[2]);
        feed.push_some(&mut two);
        consumer.on_consumed(1, 0);
        assert_eq!(feed.try_reserve(10), Ok(1));
        assert_eq!(feed.hand_in(&[0; 5]), Some(ItemIndex(3)));
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let Ends { feed, control, .. } = exchange(3);
        assert_eq!(feed.reserve_until(now()), Ok(()));
        feed.end_by_hand();
        assert!(!feed.takes_items());
        assert_eq!(feed.hand_in(&[0; 5]), None, "reserved too early");
        assert_eq!(control.outstanding(), 0);
        assert_eq!(feed.reserve_until(None), Err(NoRoom::Closed));
        assert_eq!(feed.try_reserve(1), Err(NoRoom::Closed));
    }

    #[test]
    fn all_who_wait_get_room_or_are_told() {
        let Ends { feed, consumer, .. } = exchange(1);
        assert_eq!(feed.reserve_until(now()), Ok(()));
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let reserved = feed.reserve_until(None);
                        consumer.on_consumed(1, 0);
                        reserved
                    })
                })
                .collect();
            consumer.on_consumed(1, 0);
            for thread in waiting {
                assert_eq!(thread.join().expect("no panic"), Ok(()));
            }
            assert_eq!(feed.reserve_until(now()), Ok(()));
            let told = scope.spawn(|| feed.reserve_until(None));
            feed.end_by_hand();
            assert_eq!(told.join().expect("no panic"), Err(NoRoom::Closed));
        });
    }
}
