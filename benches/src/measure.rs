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
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// What was measured, in the row's unit.
    pub value: f64,
    /// From before the first process was asked for to the last result.
    pub whole: Duration,
    /// How long single calls took, in microseconds, if the value is made of those.
    pub percentiles_us: Option<Percentiles>,
}

/// The times that these [`SHARES`] of the calls did not exceed.
pub type Percentiles = [f64; SHARES.len()];

/// Shares of calls.
pub const SHARES: [f64; 11] = [
    0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999,
];

impl Sample {
    /// The milliseconds that something took.
    pub(crate) fn taken_in(begun: Instant) -> Self {
        let whole = begun.elapsed();
        Self::taken(whole.as_secs_f64() * 1e3, whole)
    }

    /// A value that took so long.
    pub(crate) fn taken(value: f64, whole: Duration) -> Self {
        Self {
            value,
            whole,
            ..Self::default()
        }
    }

    /// A value that took no time.
    pub(crate) fn of(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    /// Calls that took these times since `begun`: how many of the median one fit into `unit`.
    pub(crate) fn of_median(mut times: Vec<Duration>, begun: Instant, unit: Duration) -> Self {
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let value = unit.as_secs_f64() / median.as_secs_f64();
        Self {
            value,
            whole: begun.elapsed(),
            percentiles_us: Some(SHARES.map(|share| 1e3 * percentile_ms(&times, share))),
        }
    }

    /// One in this time, by the second.
    pub(crate) fn once_in(time: Duration) -> Self {
        Self::taken(1.0 / time.as_secs_f64(), time)
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

/// To three places, or five figures of a value so small that these would say little of it.
pub(crate) fn rounded(value: f64) -> f64 {
    let places = match value.abs() {
        0.0 | 1.0.. => 3,
        small => 4 - small.log10().floor() as i32,
    };
    let unit = 10_f64.powi(places);
    (value * unit).round() / unit
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
        let value = (total - before) as f64 / seconds / 1e6;
        Ok(Sample::taken(value, ended.duration_since(self.begun)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, percentile_ms, rounded};

    #[test]
    fn small_values_keep_their_figures() {
        for (value, expected) in [
            (12_345.678_9, 12_345.679),
            (0.001_234_567, 0.001_234_6),
            (0.0, 0.0),
        ] {
            assert_eq!(rounded(value), expected);
        }
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        for (share, expected) in [(0.5, 100.0), (0.99, 198.0), (1.0, 200.0)] {
            assert_eq!(percentile_ms(&times, share), expected);
        }
        assert_eq!(percentile_ms(&[], 0.99), 0.0);
    }
}
