//! How much memory workers may use.

use super::check::{at_least_one, is_fraction};
use crate::{error::StartError, setters::setters};

/// How much memory workers may use, and what becomes of items that use too much.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it is given to a run by `memory`"]
pub struct MemoryLimits {
    pub(crate) max_rss_bytes: Option<u64>,
    pub(crate) oom_retries: u32,
    pub(crate) budget_bytes: Option<u64>,
    pub(crate) pause_above: Option<f64>,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            max_rss_bytes: None,
            oom_retries: 1,
            budget_bytes: None,
            pause_above: Some(0.9),
        }
    }
}

impl MemoryLimits {
    /// The defaults: no limit but the machine's.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The most bytes of resident memory a worker may use, looked at every 100 ms, also in the middle of
        /// a call. One that uses more is killed. If one item was running in it, that item is tried again
        /// alone in a fresh worker ([`oom_retries`](Self::oom_retries)) and then gets
        /// [`MemoryExceeded`](crate::TaskErrorKind::MemoryExceeded); if several were, each is run alone in a
        /// fresh worker to see which it is. A worker that grows too large before it has finished anything and
        /// while nothing runs (in its [`init`](crate::AsynPmap::init), say) counts against the
        /// [restart budget](super::WorkerOptions::restart_budget). At least 1. Default: no limit.
        pub fn max_rss_bytes(self, bytes: u64) => self.max_rss_bytes = Some(bytes);

        /// How often an item is tried again, alone in a fresh worker, after a worker was killed for its
        /// memory while nothing else ran in it. Default 1: the first time it may have been what earlier items
        /// had left behind. Without effect with a [`crash_limit`](crate::AsynPmap::crash_limit) of 1, with which
        /// nothing is started twice.
        pub fn oom_retries(self, times: u32) => self.oom_retries = times;

        /// The most bytes of resident memory all workers may use together. From 90 % of it on, one item runs
        /// at a time and idle workers are sent home; above it the youngest worker is killed, and its items are
        /// run again later, not charged with it. At least 1. Default: no limit.
        pub fn budget_bytes(self, bytes: u64) => self.budget_bytes = Some(bytes);

        /// The used part of the machine's (or container's) memory above which one item runs at a time, whoever
        /// uses it: 0 to 1, `None` for never. Default 0.9, as
        /// [`used_memory_too_much`](crate::load::used_memory_too_much) has it.
        pub fn pause_above(self, fraction: impl Into<Option<f64>>) =>
            self.pause_above = fraction.into();
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        at_least_one("memory.max_rss_bytes", self.max_rss_bytes)?;
        at_least_one("memory.budget_bytes", self.budget_bytes)?;
        is_fraction("memory.pause_above", self.pause_above.unwrap_or(0.5))
    }
}
