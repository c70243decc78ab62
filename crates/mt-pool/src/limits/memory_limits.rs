//! How much memory workers may use.

use super::check::{at_least_one, is_fraction};
use crate::{error::StartError, setters::setters};

/// How much memory workers may use, and what becomes of items that use too much.
///
/// What counts as a worker's is what it has allocated, and memory it shares without a file (`/dev/shm`), as far as that
/// is resident: `RssAnon` and `RssShmem` of `/proc/<pid>/status`. Pages of files that it has mapped or read do not,
/// because the kernel drops them when it needs them. (Where the system does not tell them apart, outside of Linux, all
/// that is resident counts.) What programs use that a task has started counts only
/// [if that is asked for](Self::with_children).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it is given to a run by `memory`"]
pub struct MemoryLimits {
    pub(crate) max_rss_bytes: Option<u64>,
    pub(crate) oom_retries: u32,
    pub(crate) budget_bytes: Option<u64>,
    pub(crate) with_children: bool,
    pub(crate) pause_above: Option<f64>,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            max_rss_bytes: None,
            oom_retries: 1,
            budget_bytes: None,
            with_children: false,
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

        /// Whether what the processes have allocated that a task has started, and theirs in turn, counts as their
        /// worker's, for all limits here and [`above_rss_bytes`](super::Recycle::above_rss_bytes). What they share
        /// without a file does not, and what two of them share since a fork counts twice. Default: no, since looking
        /// for them reads some files for every thread of the worker, every 100 ms.
        pub fn with_children(self, counted: bool) => self.with_children = counted;

        /// The used part of the machine's (or container's) memory above which one item runs at a time, whoever
        /// uses it: 0 to 1, `None` for never. Default 0.9, as
        /// [`used_memory_too_much`](crate::load::used_memory_too_much) has it. That items run one at a time is told by
        /// [`MemoryShort`](crate::events::PoolEvent::MemoryShort), by a `tracing` warning, and in
        /// [`Stats`](crate::stats::Stats::memory_short) and
        /// [`RunProgress`](crate::stats::RunProgress::memory_short).
        pub fn pause_above(self, fraction: impl Into<Option<f64>>) =>
            self.pause_above = fraction.into();
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        at_least_one("memory.max_rss_bytes", self.max_rss_bytes)?;
        at_least_one("memory.budget_bytes", self.budget_bytes)?;
        is_fraction("memory.pause_above", self.pause_above.unwrap_or(0.5))
    }
}
