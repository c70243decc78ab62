//! Which items took longest, without a look at the clock for each.
//!
//! The clock is read where something else costs more anyway: when outcomes are published, when the
//! runtime has waited, and for calls that had to wait. Between two readings there is either one call,
//! whose time is then exact, or many quick ones, which are not worth measuring. That one of many was
//! slow is told by the link's looks into the outbox, which are twenty milliseconds apart: see
//! [`Reporter`](super::reporter::Reporter).

use std::time::{Duration, Instant};

use mt_ipc::Progress;
use mt_proto::ItemIndex;

/// Measures calls, and keeps the slowest in the memory shared with the parent.
#[derive(Debug)]
pub(super) struct Stopwatch {
    progress: Progress,
    last: Instant,
    slowest: [Duration; Progress::SLOWEST],
    /// The place of the quickest of them.
    quickest: usize,
}

impl Stopwatch {
    pub(super) fn new(progress: Progress) -> Self {
        Self {
            progress,
            last: Instant::now(),
            slowest: [Duration::ZERO; Progress::SLOWEST],
            quickest: 0,
        }
    }

    /// What came before now is no call's time. Returns now.
    pub(super) fn restart(&mut self) -> Instant {
        self.last = Instant::now();
        self.last
    }

    pub(super) fn last(&self) -> Instant {
        self.last
    }

    /// The last call is over, that of this item; `is_its_own` tells whether the time since the last
    /// reading was mostly its.
    pub(super) fn lap(&mut self, index: ItemIndex, is_its_own: bool) {
        let before = self.last;
        let time = self.restart() - before;
        if is_its_own {
            self.note(index, time);
        }
    }

    pub(super) fn waited(&mut self, index: ItemIndex, since: Instant, until: Instant) {
        self.note(index, until.saturating_duration_since(since));
    }

    #[inline]
    fn note(&mut self, index: ItemIndex, time: Duration) {
        if time > self.slowest[self.quickest] {
            self.keep(index, time);
        }
    }

    fn keep(&mut self, index: ItemIndex, time: Duration) {
        let place = self.quickest;
        self.slowest[place] = time;
        self.progress.set_slow(place, index.0, time);
        let places = self.slowest.iter().enumerate();
        let quickest = places.min_by_key(|(_, time)| **time);
        self.quickest = quickest.map_or(0, |(place, _)| place);
    }
}
