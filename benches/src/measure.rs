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
    /// Items a second once warm, in the row's unit.
    pub value: f64,
    /// From before the first process was asked for to the last result.
    pub whole: Duration,
}

/// Calls that took these times, as thousand calls a second of the median.
pub(crate) fn median_rate(mut times: Vec<Duration>, begun: Instant) -> Sample {
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Sample {
        value: 1e-3 / median.as_secs_f64(),
        whole: begun.elapsed(),
    }
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

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Counts `items` more.
    #[inline]
    pub(crate) fn add(&mut self, items: u64) {
        self.count += items;
        if self.warm.is_none() && self.count >= self.load.warm_up {
            self.warm = Some((self.count, Instant::now()));
        }
    }

    /// Ends the run: million items a second since the warm-up.
    ///
    /// # Errors
    /// When there were not as many results as items.
    pub(crate) fn finish(self) -> Result<Sample> {
        let ended = Instant::now();
        let total = self.load.total();
        ensure!(
            self.count == total,
            "{} results for {total} items",
            self.count
        );
        let (before, warm) = self.warm.unwrap_or((0, self.begun));
        let seconds = ended.duration_since(warm).as_secs_f64();
        Ok(Sample {
            value: (total - before) as f64 / seconds / 1e6,
            whole: ended.duration_since(self.begun),
        })
    }
}
