//! How many works an iterator is ahead of its caller.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A number of works says little: four are an hour of one task and a microsecond of another. So, unless
//! the caller has set one, it is the works the caller takes in a short time, and a few in any case: an
//! iterator whose results are taken by the million is thousands ahead, one whose caller thinks about
//! each result is a few ahead and holds no heap of results that may never be wanted.

use std::time::{Duration, Instant};

/// The works ahead are as many as the caller took in this time.
const HORIZON: Duration = Duration::from_millis(50);
/// The shortest time a rate is measured over.
const PERIOD: Duration = Duration::from_millis(1);

/// The most works that were handed out and not yet returned: as many as the caller takes in a short time, between two
/// bounds.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    floor: u64,
    cap: u64,
    limit: u64,
    /// When the pace was measured last, and how many had been returned by then.
    since: Instant,
    returned: u64,
}

impl Ahead {
    pub(super) fn new(floor: u64, cap: u64, now: Instant) -> Self {
        Self {
            floor,
            cap: cap.max(floor),
            limit: floor,
            since: now,
            returned: 0,
        }
    }

    /// The limit, when `returned` works have been returned so far.
    pub(super) fn limit(&mut self, now: Instant, returned: u64) -> u64 {
        let time = now.saturating_duration_since(self.since);
        if time >= PERIOD {
            let taken = returned.saturating_sub(self.returned);
            let ahead = u128::from(taken) * HORIZON.as_nanos() / time.as_nanos();
            let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
            self.limit = ahead.clamp(self.floor, self.cap);
            self.since = now;
            self.returned = returned;
        }
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn as_many_as_are_taken_in_a_short_time() {
        let mut now = Instant::now();
        let mut ahead = Ahead::new(4, 10_000, now);
        let mut returned = 0;
        // How many are taken in a millisecond, and what follows.
        for (taken, expected) in [(0, 4), (1, 50), (20, 1000), (1_000_000, 10_000), (3, 150)] {
            now += MS;
            returned += taken;
            assert_eq!(ahead.limit(now, returned), expected, "{taken}");
        }
        now += 1000 * MS;
        assert_eq!(ahead.limit(now, returned + 20), 4, "a caller that thinks");
    }

    #[test]
    fn no_time_is_no_measure() {
        let now = Instant::now();
        let mut ahead = Ahead::new(4, 10_000, now);
        assert_eq!(ahead.limit(now, 1_000_000), 4);
        assert_eq!(ahead.limit(now + MS / 2, 1_000_000), 4);
        assert_eq!(ahead.limit(now + MS, 1000), 10_000);
    }

    #[test]
    fn what_was_set_stands() {
        let now = Instant::now();
        let mut ahead = Ahead::new(7, 7, now);
        assert_eq!(ahead.limit(now + MS, 1_000_000), 7);
    }
}
