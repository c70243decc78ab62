//! The stats as the supervisor, the consumer and the handles of a run share them.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mt_ipc::Progress;
use mt_proto::WorkerId;

use super::{RunProgress, Stats, WorkerState, ledger::Ledger, rate::Rate};
use crate::{events::PoolEvent, load};

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct StatsCell {
    stats: Mutex<Stats>,
    ledger: Mutex<Ledger>,
    rate: Mutex<Rate>,
    /// The items the input has said it has; `u64::MAX` for none.
    total: u64,
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
            stats: Mutex::default(),
            ledger: Mutex::default(),
            rate: Mutex::new(Rate::new(Instant::now())),
            total: total.unwrap_or(u64::MAX),
            complete: AtomicBool::new(false),
            yielded: Yielded::default(),
        }
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }

    /// All but what the exchange knows.
    pub(crate) fn get(&self) -> Stats {
        let now = Instant::now();
        let mut stats = lock(&self.stats).clone();
        stats.succeeded = self.yielded.succeeded.load(Ordering::Relaxed);
        stats.failed = self.yielded.failed.load(Ordering::Relaxed);
        stats.cancelled = self.yielded.cancelled.load(Ordering::Relaxed);
        {
            let ledger = lock(&self.ledger);
            stats.workers = ledger.workers(now);
            stats.slowest = ledger.slowest_items();
        }
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
        let input_ended = lock(&self.stats).input_ended;
        let total = match self.total {
            _ if input_ended => Some(pulled),
            u64::MAX => None,
            total => Some(total.max(pulled)),
        };
        let now = Instant::now();
        let mut rate = lock(&self.rate);
        RunProgress {
            done,
            failed,
            total,
            rate: rate.at(now, done),
            elapsed: now.saturating_duration_since(rate.start()),
            is_over: self.yielded.is_over.load(Ordering::Relaxed),
        }
    }

    /// Consumer: one more value is out. Only one thread at a time calls this and the next.
    #[inline]
    pub(crate) fn count_succeeded(&self) {
        count(&self.yielded.succeeded);
    }

    /// Consumer: one more error is out.
    pub(crate) fn count_failed(&self, is_cancelled: bool) {
        count(&self.yielded.failed);
        if is_cancelled {
            count(&self.yielded.cancelled);
        }
    }

    /// Consumer: that was the last.
    pub(crate) fn set_over(&self) {
        self.yielded.is_over.store(true, Ordering::Relaxed);
    }

    /// Counts what an event says.
    pub(crate) fn record(&self, event: &PoolEvent) {
        let now = Instant::now;
        match event {
            PoolEvent::WorkerStarted { worker, pid } => {
                self.update(|stats| stats.workers_started += 1);
                lock(&self.ledger).has_pid(*worker, *pid);
            }
            PoolEvent::WorkerReused { worker, pid } => {
                self.update(|stats| stats.workers_reused += 1);
                lock(&self.ledger).has_pid(*worker, *pid);
            }
            PoolEvent::WorkerReady { worker } => lock(&self.ledger).ready(now(), *worker),
            PoolEvent::ItemsGiven { worker, count, .. } => {
                lock(&self.ledger).given(now, *worker, *count);
            }
            PoolEvent::WorkerDied { death, .. } => self.update(|stats| {
                stats.workers_died += 1;
                stats.deaths.count(&death.cause);
            }),
            PoolEvent::ContextCloseFailed { .. } => {
                self.update(|stats| stats.context_close_errors += 1);
            }
            PoolEvent::Interrupted => self.update(|stats| stats.interrupted = true),
            _ => {}
        }
    }

    pub(crate) fn spawned(&self, worker: WorkerId) {
        lock(&self.ledger).spawned(Instant::now(), worker.0);
    }

    pub(crate) fn greeted(&self, worker: WorkerId, progress: Progress) {
        lock(&self.ledger).greeted(Instant::now(), worker.0, progress);
    }

    pub(crate) fn finished(&self, worker: WorkerId, items: u32) {
        lock(&self.ledger).finished(Instant::now, worker.0, items);
    }

    pub(crate) fn slowest(&self, items: impl IntoIterator<Item = (u64, Duration)>) {
        lock(&self.ledger).slowest(items);
    }

    pub(crate) fn leaving(&self, worker: WorkerId) {
        lock(&self.ledger).leaving(Instant::now(), worker.0);
    }

    pub(crate) fn ended(&self, worker: WorkerId, started: u64) {
        lock(&self.ledger).ended(Instant::now(), worker.0, started);
    }

    pub(crate) fn released(&self, worker: WorkerId) {
        lock(&self.ledger).released(Instant::now(), worker.0);
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

/// Adds one without the cost of an atomic addition: nobody else writes.
#[inline]
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// No user code runs under these locks, so what is in them is consistent whatever has panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
