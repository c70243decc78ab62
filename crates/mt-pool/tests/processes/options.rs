//! Options of runs, in short.

use std::time::Duration;

use mt_pool::{
    WorkerStderr,
    limits::{Deadlines, WorkerOptions},
    supervision::{LivenessPolicy, RestartBudget},
};

/// So many replacements of workers that die too early.
pub(crate) fn restarts(limit: u32) -> WorkerOptions {
    WorkerOptions::new().restart_budget(RestartBudget {
        limit,
        ..RestartBudget::default()
    })
}

/// Beats every so many milliseconds, of which so many may be missed.
pub(crate) fn beats(every_ms: u64, missed_beats: u32) -> LivenessPolicy {
    LivenessPolicy {
        interval: Duration::from_millis(every_ms),
        missed_beats,
        ..LivenessPolicy::default()
    }
}

pub(crate) fn hard(limit: Duration) -> Deadlines {
    Deadlines::new().hard(limit)
}

pub(crate) fn soft(limit: Duration) -> Deadlines {
    Deadlines::new().soft(limit)
}

/// Workers whose standard error is not what the test prints.
pub(crate) fn discards() -> WorkerOptions {
    WorkerOptions::new().stderr(WorkerStderr::Discard)
}
