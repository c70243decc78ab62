//! The stats as the supervisor, the consumer and the handles of a run share them.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{Happened, RunProgress, Stats, WorkerState, ledger::Ledger, rate::Rate};
use crate::{load, lock::lock};

#[derive(Debug)]
pub(crate) struct StatsCell {
    ledger: Mutex<Ledger>,
    rate: Mutex<Rate>,
    /// The items that the input has said it has.
    total: Option<u64>,
    complete: AtomicBool,
    yielded: Yielded,
}

/// What the consumer has. Written for every outcome, so it has a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Yielded {
    succeeded: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    is_over: AtomicBool,
}

impl StatsCell {
    pub(crate) fn new(total: Option<u64>) -> Self {
        Self {
            ledger: Mutex::default(),
            rate: Mutex::new(Rate::new(Instant::now())),
            total,
            complete: AtomicBool::new(false),
            yielded: Yielded::default(),
        }
    }

    pub(crate) fn record(&self, happened: &Happened) {
        lock(&self.ledger).record(Instant::now, happened);
    }

    /// All but what the exchange knows.
    pub(crate) fn get(&self) -> Stats {
        let mut stats = lock(&self.ledger).stats(Instant::now());
        stats.succeeded = self.yielded.succeeded.load(Ordering::Relaxed);
        stats.failed = self.yielded.failed.load(Ordering::Relaxed);
        stats.cancelled = self.yielded.cancelled.load(Ordering::Relaxed);
        for worker in &mut stats.workers {
            if worker.state != WorkerState::Gone {
                worker.rss_bytes = worker.pid.and_then(load::rss_of);
            }
        }
        stats
    }

    /// How far the run is, of which so many items have been pulled.
    pub(crate) fn progress(&self, pulled: u64) -> RunProgress {
        let failed = self.yielded.failed.load(Ordering::Relaxed);
        let done = self.yielded.succeeded.load(Ordering::Relaxed) + failed;
        let (input_ended, memory_short) = lock(&self.ledger).now();
        let total = match input_ended {
            true => Some(pulled),
            false => self.total.map(|total| total.max(pulled)),
        };
        let now = Instant::now();
        let mut rate = lock(&self.rate);
        RunProgress {
            done,
            failed,
            total,
            rate: rate.at(now, done),
            elapsed: now.saturating_duration_since(rate.start()),
            memory_short,
            is_over: self.yielded.is_over.load(Ordering::Relaxed),
        }
    }

    /// Consumer: one more value is out. Only one thread at a time calls this and the next.
    #[inline]
    pub(crate) fn count_succeeded(&self) {
        count(&self.yielded.succeeded);
    }

    pub(crate) fn count_failed(&self, is_cancelled: bool) {
        count(&self.yielded.failed);
        if is_cancelled {
            count(&self.yielded.cancelled);
        }
    }

    pub(crate) fn set_over(&self) {
        self.yielded.is_over.store(true, Ordering::Relaxed);
    }

    /// The supervisor has come to the end of the run, and not to one of its own.
    pub(crate) fn set_complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }
}

/// Adds one without the cost of an atomic addition: nobody else writes.
#[inline]
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
