//! Works 0, 1, 2 … in worker processes, a few ahead of the caller.
//!
//! Works are handed out at the begin of a call, and a work counts as returned just before the call that
//! yields it ends. So `sent - returned` is never more than the limit at any instant, and a caller that
//! is busy with a result has its next ones worked on.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mt_proto::{MAX_RECORD_BYTES, RecordBuffer};

use super::{ahead::Ahead, error::PopError, manual_run::ManualRun, shared_outlet::Dry};
use crate::{Task, input::NoRoom, lock::lock, pmap::Outcome, stats::Stats};

/// The most works handed out in one go.
const MOST_AT_ONCE: u64 = 2048;

/// What a call of `next` comes to; `None` at the end.
pub(super) type Next<T> = Option<Result<(u64, Outcome<T>), PopError>>;

/// A manual run that is fed with the next numbers.
#[derive(Debug)]
pub(super) struct Pooled<T: Task<Input = u64>> {
    manual_run: ManualRun<T>,
    feed: Mutex<Feed>,
    num_works: u64,
    timeouts: Timeouts,
    /// Works handed out.
    sent: AtomicU64,
    /// The most of them whose outcomes were not returned.
    limit: AtomicU64,
}

#[derive(Debug)]
struct Feed {
    ahead: Ahead,
    block: RecordBuffer,
}

/// How long a call may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) push: Duration,
    pub(super) pop: Duration,
}

impl<T: Task<Input = u64>> Pooled<T> {
    pub(super) fn new(
        manual_run: ManualRun<T>,
        mut ahead: Ahead,
        num_works: u64,
        timeouts: Timeouts,
    ) -> Self {
        let limit = AtomicU64::new(ahead.limit(Instant::now(), 0));
        let pooled = Self {
            manual_run,
            feed: Mutex::new(Feed {
                ahead,
                block: RecordBuffer::default(),
            }),
            num_works,
            timeouts,
            sent: AtomicU64::new(0),
            limit,
        };
        if num_works == 0 {
            pooled.manual_run.feed.end();
        }
        pooled.hand_out(1);
        pooled
    }

    pub(super) fn next(&self) -> Next<T> {
        // A good part of the limit at once: one by one, every work would be a message of its own.
        self.hand_out((self.limit.load(Ordering::Relaxed) / 4).max(1));
        let taken = self.manual_run.take(self.timeouts.pop, || {
            self.hand_out(1);
            !self.has_no_room()
        });
        match taken {
            Ok((index, outcome)) => {
                // Others may wait for nothing but this room.
                if self.manual_run.outlet.is_waited_for() {
                    self.hand_out(1);
                }
                Some(Ok((index.0, outcome)))
            }
            Err(Dry::ForNow) => Some(Err(PopError::Empty)),
            Err(Dry::ForGood) => None,
        }
    }

    /// Hands out as many works as there is room for, if it is room for `worth` at least.
    fn hand_out(&self, worth: u64) {
        if self.room() < worth {
            return;
        }
        let mut feed = lock(&self.feed);
        let limit = feed.ahead.limit(Instant::now(), self.returned());
        self.limit.store(limit, Ordering::Relaxed);
        let most = self.room().min(self.left()).min(MOST_AT_ONCE);
        if let Ok(count) = self.manual_run.feed.try_reserve(most) {
            self.hand_in(&mut feed, count);
        }
    }

    /// Hands in the next `count` works, which room was reserved for.
    fn hand_in(&self, feed: &mut Feed, count: u64) {
        let next = self.sent();
        for id in next..next + count {
            let pushed = feed.block.push(&id, MAX_RECORD_BYTES);
            pushed.expect("a number always encodes");
        }
        // Before they are handed in: an outcome may be returned at once.
        self.sent.store(next + count, Ordering::SeqCst);
        self.manual_run.feed.push_some(&mut feed.block);
        if self.left() == 0 {
            self.manual_run.feed.end();
        }
    }

    /// Whether no work is on its way and none can be handed out in time. A run takes at least one item,
    /// so that would be for want of time to do it.
    fn has_no_room(&self) -> bool {
        if self.sent() > self.returned() || self.left() == 0 {
            return false;
        }
        let mut feed = lock(&self.feed);
        let until = Instant::now().checked_add(self.timeouts.push);
        let reserved = self.manual_run.feed.reserve(until);
        if reserved.is_ok() {
            self.hand_in(&mut feed, 1);
        }
        reserved == Err(NoRoom::Full)
    }

    fn room(&self) -> u64 {
        let ahead = self.sent().saturating_sub(self.returned());
        self.limit.load(Ordering::Relaxed).saturating_sub(ahead)
    }

    fn left(&self) -> u64 {
        self.num_works.saturating_sub(self.sent())
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// A call that has taken an outcome does nothing more but to return it.
    fn returned(&self) -> u64 {
        self.manual_run.count_taken()
    }

    /// Ends it: workers are killed, those who wait are told. Waits until the workers are gone.
    pub(super) fn close(&self) {
        self.manual_run.end();
    }

    /// Works handed out, and outcomes taken.
    pub(super) fn counts(&self) -> (u64, u64) {
        // In this order, so that there are never fewer sent.
        let returned = self.returned();
        (self.sent(), returned)
    }

    pub(super) fn stats(&self) -> Stats {
        self.manual_run.stats()
    }
}
