//! How long the items of one worker have been running, from looks at how many it has started.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A worker counts what it starts in a page of memory it shares with the pool. The pool looks now and
//! then: whatever was started by the time of a look runs since then at the latest. That costs nothing
//! an item, and needs no word from a worker that may be stuck; in exchange a deadline is noticed up to
//! one look late.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The looks that still matter: one for every time the count had grown, as long as some item started
/// before it is not done. So there are never more than the worker holds items.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// When, and how many had been started by then.
    looks: VecDeque<(Instant, u64)>,
}

impl Starts {
    /// Takes note that `started` items have been started by `now`, and that the first `done` of all
    /// are done.
    pub(crate) fn look(&mut self, now: Instant, started: u64, done: u64) {
        self.settle(done);
        let known = self.looks.back().map_or(done, |&(_, count)| count);
        if started > known {
            self.looks.push_back((now, started));
        }
    }

    /// Forgets looks all of whose items are done.
    fn settle(&mut self, done: u64) {
        while self.looks.front().is_some_and(|&(_, count)| count <= done) {
            self.looks.pop_front();
        }
    }

    /// The count of items among which at least one has been running for `limit`, if there is one.
    /// `done` as in [`look`](Self::look).
    pub(crate) fn overrun(&mut self, now: Instant, limit: Duration, done: u64) -> Option<u64> {
        self.settle(done);
        let late = |&&(since, _): &&(Instant, u64)| since + limit <= now;
        self.looks.iter().take_while(late).last().map(|&(_, n)| n)
    }

    /// When the oldest will have been running for `limit`.
    pub(crate) fn due(&self, limit: Duration) -> Option<Instant> {
        self.looks.front().map(|&(since, _)| since + limit)
    }

    /// Time that nobody could use does not count.
    pub(crate) fn forgive(&mut self, time: Duration) {
        for (since, _) in &mut self.looks {
            *since += time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn what_runs_since_a_look_is_late_when_the_limit_has_passed_since_that_look() {
        let t = Instant::now();
        let mut starts = Starts::default();
        starts.look(t, 3, 0);
        starts.look(at(t, 10), 5, 0);
        assert_eq!(starts.due(LIMIT), Some(at(t, 100)));
        assert_eq!(starts.overrun(at(t, 99), LIMIT, 0), None);
        assert_eq!(starts.overrun(at(t, 100), LIMIT, 0), Some(3));
        assert_eq!(starts.overrun(at(t, 110), LIMIT, 0), Some(5));
    }

    #[test]
    fn what_is_done_in_time_is_not_late_and_leaves_nothing() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..1000 {
            starts.look(at(t, n), n + 1, n);
        }
        assert_eq!(starts.looks.len(), 1, "as many as are running");
        assert_eq!(starts.overrun(at(t, 5000), LIMIT, 1000), None);
        assert_eq!(starts.due(LIMIT), None);
    }

    #[test]
    fn a_look_that_sees_nothing_new_does_not_start_the_clock_again() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..100 {
            starts.look(at(t, n), 1, 0);
        }
        assert_eq!(starts.overrun(at(t, 100), LIMIT, 0), Some(1));
        starts.forgive(LIMIT);
        assert_eq!(starts.overrun(at(t, 199), LIMIT, 0), None);
    }
}
