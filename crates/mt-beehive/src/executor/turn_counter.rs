//! How far the thread is that does the tasks: written by it, read for every heartbeat.
//!
//! Beats come from another thread, so they go on while a task holds this one; what is counted here does not.

use std::sync::atomic::{AtomicU64, Ordering};

use mt_proto::{Beat, WorkerBeat};

/// Counts of one bee.
#[derive(Debug, Default)]
pub(crate) struct TurnCounter {
    started: AtomicU64,
    finished: AtomicU64,
    turns: AtomicU64,
}

impl TurnCounter {
    /// A task has been begun. Only one thread counts.
    pub(super) fn start(&self) {
        count(&self.started);
    }

    /// A task has ended. Only one thread counts.
    pub(super) fn finish(&self) {
        count(&self.finished);
    }

    /// The thread was given back by whoever had it. Only one thread counts.
    pub(super) fn turn(&self) {
        count(&self.turns);
    }

    /// The heartbeat that tells of it.
    pub(super) fn beat(&self) -> WorkerBeat {
        WorkerBeat {
            beat: Beat::Alive,
            // First: what is seen to have ended has begun.
            finished: self.finished.load(Ordering::Acquire),
            started: self.started.load(Ordering::Acquire),
            turns: self.turns.load(Ordering::Acquire),
        }
    }
}

fn count(counter: &AtomicU64) {
    let next = counter.load(Ordering::Relaxed) + 1;
    counter.store(next, Ordering::Release);
}
