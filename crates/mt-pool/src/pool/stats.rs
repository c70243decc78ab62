//! What a pool has done so far.

use super::Pool;
use crate::{stats::CallStats, supervision::Deaths};

/// What a [`Pool`] does and has done, see [`Pool::stats`]. Gauges are of the moment; counts only grow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolStats {
    /// Gauge: the workers there are, working or waiting; at most the pool's `processes`.
    pub workers: usize,
    /// Gauge: those of them that wait for a run.
    pub idle_workers: usize,
    /// Gauge: the runs that go on.
    pub runs: usize,
    /// Gauge: the workers that runs would take now and that there are no places for.
    pub wanted_workers: usize,
    /// Worker processes that were started.
    pub workers_started: u64,
    /// How often a run took a worker that another had left behind.
    pub workers_reused: u64,
    /// What workers have died of, in runs and while they waited. Those that left in peace, or were stopped because nobody
    /// needed them any more, are not among them.
    pub deaths: Deaths,
    /// What [calls](Pool::call) have come to, and how long they took.
    pub calls: CallStats,
}

impl Pool {
    /// What the pool does and has done: for a scrape, say. Costs some locks that nobody holds for long, some microseconds, and
    /// no look at any process.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let counts = self.inner.idle_workers.counts();
        let (admitted, waiting) = self.call_places().counts();
        let calls = self.call_recorder().stats();
        PoolStats {
            workers: self.workers(),
            idle_workers: self.idle_workers(),
            runs: self.runs(),
            wanted_workers: counts.waiting,
            workers_started: counts.started,
            workers_reused: counts.reused,
            deaths: counts.deaths,
            calls: CallStats {
                waiting,
                queued: admitted.saturating_sub(calls.in_workers),
                ..calls
            },
        }
    }
}
