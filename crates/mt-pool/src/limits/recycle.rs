//! When workers are replaced by fresh ones.

use std::time::Duration;

use super::check::{at_least_one, is_fraction, is_time, reckonable};
use crate::{error::StartError, setters::setters};

/// When a worker is replaced by a fresh one: a cure for leaks and for what piles up. Any of the limits
/// is enough. Default: never.
///
/// What is counted is the process's and not the run's: a worker of a [`Pool`](crate::Pool) that has had its items, or is
/// old enough, in whatever runs, is not used for another run with these limits.
///
/// A tired worker goes on until its successor is set up, then finishes what it has and goes, so there may
/// for a moment be [`at_once`](Self::at_once) more workers than
/// [`processes`](crate::AsynPmap::processes).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it is given to a run by `recycle`"]
pub struct Recycle {
    pub(crate) items: Option<u64>,
    pub(crate) batches: Option<u64>,
    pub(crate) age: Option<Duration>,
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) idle: Option<Duration>,
    pub(crate) jitter: f64,
    pub(crate) at_once: u32,
}

impl Default for Recycle {
    fn default() -> Self {
        Self {
            items: None,
            batches: None,
            age: None,
            rss_bytes: None,
            idle: None,
            jitter: 0.1,
            at_once: 1,
        }
    }
}

impl Recycle {
    /// The default: never.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// After so many items, at least 1, exactly: a worker gets no more than these.
        pub fn after_items(self, items: u64) => self.items = Some(items);

        /// After so many times [`batch_size`](crate::AsynPmap::batch_size) items, at least 1.
        pub fn after_batches(self, batches: u64) => self.batches = Some(batches);

        /// After so long, counted from when a worker was set up; at least 1 ms.
        pub fn after_age(self, age: Duration) => self.age = Some(reckonable(age));

        /// When a worker uses so many bytes of resident memory, at least 1, looked at every 100 ms. Unlike
        /// [`max_rss_bytes`](super::MemoryLimits::max_rss_bytes) this interrupts nothing.
        pub fn above_rss_bytes(self, bytes: u64) => self.rss_bytes = Some(bytes);

        /// When a worker has had nothing to do for so long, at least 1 ms. It is not replaced until there is more
        /// to do, and the fewest [`processes`](crate::AsynPmap::processes) are kept.
        pub fn after_idle(self, time: Duration) => self.idle = Some(reckonable(time));

        /// How much earlier than at an age or a size it may be, at random, as a part of them, 0 to 1, so that
        /// workers do not go all at once. Default 0.1.
        pub fn jitter(self, part: f64) => self.jitter = part;

        /// How many may be replaced at once, at least 1. Default 1.
        pub fn at_once(self, workers: u32) => self.at_once = workers;
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        at_least_one("recycle.after_items", self.items)?;
        at_least_one("recycle.after_batches", self.batches)?;
        at_least_one("recycle.above_rss_bytes", self.rss_bytes)?;
        at_least_one("recycle.at_once", u64::from(self.at_once))?;
        is_time("recycle.after_age", self.age)?;
        is_time("recycle.after_idle", self.idle)?;
        is_fraction("recycle.jitter", self.jitter)
    }

    /// Whether workers are replaced at all; not counted that idle ones go.
    pub(crate) fn wears(&self) -> bool {
        let counts = self.items.or(self.batches).or(self.rss_bytes);
        counts.is_some() || self.age.is_some()
    }
}
