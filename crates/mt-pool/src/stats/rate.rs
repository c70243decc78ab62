//! How far a run is, how fast it goes, and how long it will take.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::events::MemoryShortage;

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(10);
/// The shortest time between two marks. With the window it bounds their number.
const SPACING: Duration = Duration::from_millis(250);

/// How far a run is.
///
/// Made by [`Pmap::progress`](crate::Pmap::progress) and
/// [`RunHandle::progress`](crate::RunHandle::progress). Costs less than a microsecond.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RunProgress {
    /// Outcomes yielded, errors included.
    pub done: u64,
    /// Errors among them.
    pub failed: u64,
    /// The items of the input, as far as that is known: what it says itself if it knows exactly, or
    /// [`total`](crate::AsynPmap::total), or what was pulled once it has ended. Never less than what
    /// was pulled.
    pub total: Option<u64>,
    /// Outcomes a second, over about the last 10 s; as far back as somebody has asked for the progress
    /// before, and otherwise since the start. 0 at the start.
    pub rate: f64,
    /// The time since the start.
    pub elapsed: Duration,
    /// Whose memory is short just now, so that items run one at a time.
    pub memory_short: Option<MemoryShortage>,
    /// Whether nothing more will be yielded.
    pub is_over: bool,
}

impl RunProgress {
    /// How much is done, 0 to 1; 1 for an empty input.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        match self.total? {
            0 => Some(1.0),
            total => Some((self.done as f64 / total as f64).min(1.0)),
        }
    }

    /// How long it will take from now on if it goes on like this. `None` while the total or the rate is
    /// not known.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        if left == 0 {
            return Some(Duration::ZERO);
        }
        Duration::try_from_secs_f64(left as f64 / self.rate).ok()
    }
}

#[derive(Debug)]
pub(super) struct Rate {
    start: Instant,
    marks: VecDeque<(Instant, u64)>,
}

impl Rate {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            marks: VecDeque::from([(start, 0)]),
        }
    }

    pub(super) fn start(&self) -> Instant {
        self.start
    }

    pub(super) fn at(&mut self, now: Instant, done: u64) -> f64 {
        // One mark from before the window is kept, so that there is always the whole of it.
        while self.marks.len() > 1 && self.marks[1].0 + WINDOW <= now {
            self.marks.pop_front();
        }
        let last = self.marks.back().map(|(then, _)| *then);
        if last.is_none_or(|last| last + SPACING <= now) {
            self.marks.push_back((now, done));
        }
        let (then, before) = self.marks[0];
        let time = now.saturating_duration_since(then).as_secs_f64();
        if time > 0.0 {
            done.saturating_sub(before) as f64 / time
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &[(u64, u64, f64)]) {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for &(millis, done, expected) in asked {
            let found = rate.at(start + Duration::from_millis(millis), done);
            assert!((found - expected).abs() < 1e-9, "{found} at {millis} ms");
        }
    }

    /// Case M79: The rate is that of the last ten seconds.
    #[test]
    fn the_rate_is_that_of_the_last_ten_seconds() {
        check(&[(0, 0, 0.0), (1000, 100, 100.0), (2000, 300, 150.0)]);
        // Asked for once, it is that of the whole run.
        check(&[(100_000, 500, 5.0)]);
        // What was slow long ago does not count.
        check(&[(0, 0, 0.0), (50_000, 0, 0.0), (60_000, 1000, 100.0)]);
        // Marks between are dropped when they are old.
        check(&[(5000, 0, 0.0), (9000, 40, 40.0 / 9.0), (15_000, 100, 10.0)]);
    }

    #[test]
    fn however_often_it_is_asked_for_there_are_few_marks() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for millis in 0..100_000 {
            rate.at(start + Duration::from_millis(millis), millis);
        }
        assert!(rate.marks.len() <= 42, "{}", rate.marks.len());
    }

    #[test]
    fn what_is_left_takes_as_long_as_the_rate_says() {
        let mut progress = RunProgress {
            done: 25,
            failed: 0,
            total: Some(100),
            rate: 5.0,
            elapsed: Duration::ZERO,
            memory_short: None,
            is_over: false,
        };
        assert_eq!(progress.eta(), Some(Duration::from_secs(15)));
        assert_eq!(progress.fraction(), Some(0.25));
        progress.rate = 0.0;
        assert_eq!(progress.eta(), None);
        progress.done = 100;
        assert_eq!(progress.eta(), Some(Duration::ZERO));
        progress.total = None;
        assert_eq!((progress.eta(), progress.fraction()), (None, None));
    }
}
