//! What is measured of one run, the same way on both sides.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The items of a run: the numbers from 0 on.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Items before the clock starts: by then every process is up and warm.
    pub warm_up: u64,
    /// Items on the clock.
    pub items: u64,
}

impl Load {
    /// So many items to warm up, and then so many.
    #[must_use]
    pub const fn new(warm_up: u64, items: u64) -> Self {
        Self { warm_up, items }
    }

    /// All items.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.warm_up + self.items
    }

    /// What the items sum up to.
    #[must_use]
    pub const fn sum(self) -> u64 {
        self.total() * (self.total() - 1) / 2
    }
}

/// What one run showed.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// What was measured, in the row's unit.
    pub value: f64,
    /// From before the first process was asked for to the last result.
    pub whole: Duration,
}

impl Sample {
    /// A value that took no time.
    pub(crate) fn of(value: f64) -> Self {
        let whole = Duration::ZERO;
        Self { value, whole }
    }

    /// Calls that took these times since `begun`: how many of the median one fit into `unit`.
    pub(crate) fn of_median(mut times: Vec<Duration>, begun: Instant, unit: Duration) -> Self {
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let value = unit.as_secs_f64() / median.as_secs_f64();
        let whole = begun.elapsed();
        Self { value, whole }
    }

    /// One in this time, by the second.
    pub(crate) fn once_in(time: Duration) -> Self {
        let (value, whole) = (1.0 / time.as_secs_f64(), time);
        Self { value, whole }
    }
}

/// The time that this share of the times does not exceed, by the nearest rank, in milliseconds; 0 of none.
pub(crate) fn percentile_ms(times: &[Duration], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let found = sorted.get(rank.saturating_sub(1));
    found.map_or(0.0, |time| rounded(time.as_secs_f64() * 1e3))
}

/// To three places.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Counts results as they come and keeps the time.
pub(crate) struct Pace {
    load: Load,
    count: u64,
    begun: Instant,
    /// The count and the time when the warm-up was over.
    warm: Option<(u64, Instant)>,
}

impl Pace {
    pub(crate) fn start(load: Load) -> Self {
        Self {
            load,
            count: 0,
            begun: Instant::now(),
            warm: None,
        }
    }

    /// Counts `items` more.
    #[inline]
    pub(crate) fn add(&mut self, items: u64) {
        self.count += items;
        if self.warm.is_none() && self.count >= self.load.warm_up {
            self.warm = Some((self.count, Instant::now()));
        }
    }

    /// Whether there are results for all items.
    pub(crate) fn is_complete(&self) -> bool {
        self.count >= self.load.total()
    }

    /// Ends the run: million items a second since the warm-up.
    pub(crate) fn finish(self, sum: u64) -> Result<Sample> {
        let ended = Instant::now();
        let (total, count) = (self.load.total(), self.count);
        ensure!(count == total, "{count} results for {total} items");
        ensure!(sum == self.load.sum(), "the results have other values");
        let (before, warm) = self.warm.unwrap_or((0, self.begun));
        let seconds = ended.duration_since(warm).as_secs_f64();
        Ok(Sample {
            value: (total - before) as f64 / seconds / 1e6,
            whole: ended.duration_since(self.begun),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, percentile_ms};

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        for (share, expected) in [(0.5, 100.0), (0.99, 198.0), (1.0, 200.0)] {
            assert_eq!(percentile_ms(&times, share), expected);
        }
        assert_eq!(percentile_ms(&[], 0.99), 0.0);
    }
}
