//! Counts of a run.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// What a run has done so far. Consistent at the moment it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Values yielded.
    pub succeeded: u64,
    /// Errors yielded, of every kind.
    pub failed: u64,
    /// Whether the input has been pulled to its end. False at the end of a run means that the run
    /// gave up or was interrupted, and items were left that nobody asked for.
    pub input_ended: bool,
    /// Items pulled from the input whose outcome was not yielded yet. Never more than
    /// [`capacity`](crate::AsynPmap::capacity).
    pub outstanding: u64,
    /// Worker processes that another run had left behind; see [`Pool`](crate::Pool).
    pub workers_reused: u64,
    /// Worker processes started.
    pub workers_started: u64,
    /// Worker processes that died instead of leaving when told to.
    pub workers_died: u64,
    /// `tracing` events of workers that nobody has seen, because there were too many at once.
    pub events_dropped: u64,
    /// Contexts that failed to close.
    pub context_close_errors: u64,
    /// Whether the run was interrupted by Ctrl-C.
    pub interrupted: bool,
}

impl std::fmt::Display for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} succeeded, {} failed; {} workers started, {} died",
            self.succeeded, self.failed, self.workers_started, self.workers_died
        )?;
        if self.interrupted {
            f.write_str("; interrupted")
        } else {
            Ok(())
        }
    }
}

/// The stats as the supervisor and the consumer share them.
#[derive(Debug, Default)]
pub(crate) struct StatsCell {
    stats: Mutex<Stats>,
    complete: AtomicBool,
}

impl StatsCell {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn get(&self) -> Stats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The supervisor has come to the end of the run, and not to one of its own.
    pub(crate) fn set_complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// Whether every outcome has been handed out.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }
}
