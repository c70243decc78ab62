//! When workers are replaced by fresh ones.

use std::time::Duration;

/// When a worker is replaced by a fresh one: a cure for leaks and for what piles up. Any of the limits
/// is enough. Default: never.
///
/// A tired worker goes on until its successor is set up, then finishes what it has and goes, so there may
/// for a moment be [`at_once`](Self::at_once) more workers than
/// [`pool_processes`](crate::AsynPmap::pool_processes).
/// See also [`pool_maxtasksperchild`](crate::AsynPmap::pool_maxtasksperchild), which counts batches.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Recycle {
    /// After so many items, at least 1, exactly: the worker gets no more than these.
    pub items: Option<u64>,
    /// After so long, counted from when it was set up; at least 1 ms.
    pub age: Option<Duration>,
    /// When it uses so many bytes of resident memory, looked at every 100 ms. Unlike
    /// [`max_rss`](crate::AsynPmap::max_rss) this interrupts nothing.
    pub rss: Option<u64>,
    /// When it has had nothing to do for so long, at least 1 ms. It is not replaced until there is more to
    /// do, and [`min_processes`](crate::AsynPmap::min_processes) are kept.
    pub idle: Option<Duration>,
    /// How much earlier than at `age` and `rss` it may be, at random, as a part of them, 0 to 1, so that
    /// workers do not go all at once. Default 0.1.
    pub jitter: f64,
    /// How many may be replaced at once, at least 1. Default 1.
    pub at_once: u32,
}

impl Default for Recycle {
    fn default() -> Self {
        Self {
            items: None,
            age: None,
            rss: None,
            idle: None,
            jitter: 0.1,
            at_once: 1,
        }
    }
}

impl Recycle {
    /// Never; the start for the methods below.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// After so many items, exactly.
    #[must_use]
    pub fn after_items(mut self, items: u64) -> Self {
        self.items = Some(items);
        self
    }

    /// After so long.
    #[must_use]
    pub fn after_age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// When it uses so many bytes of resident memory.
    #[must_use]
    pub fn above_rss(mut self, bytes: u64) -> Self {
        self.rss = Some(bytes);
        self
    }

    /// When it has had nothing to do for so long.
    #[must_use]
    pub fn after_idle(mut self, time: Duration) -> Self {
        self.idle = Some(time);
        self
    }
}
