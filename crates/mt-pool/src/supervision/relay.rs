//! Emitting `tracing` events of workers, and those of their supervisor, in this process.
//!
//! A subscriber is user code, and may block on whatever it writes to. So a thread of its own calls it,
//! with a bounded queue before it; what finds no room there is counted.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use mt_proto::{Kept, TraceEvents, guarded};
use tokio::{sync::oneshot, time::timeout};
use tracing::{
    Dispatch, Span,
    dispatcher::{get_default, with_default},
    subscriber::NoSubscriber,
};

use super::callsite::emit;
use crate::lock::lock;

const MAX_WAITING: usize = 64;
/// How long the end of a run waits for the last events to be emitted.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// One event of the supervisor's own, or at most one control frame of a worker's.
type Emission = Box<dyn FnOnce() + Send>;

/// Emits events of the workers of one owner, and the owner's own, to the subscriber and under the span of whoever has
/// made it.
pub struct WorkerEvents {
    subscriber: Kept<Dispatch>,
    span: Kept<Span>,
    thread: Mutex<Option<Thread>>,
    /// Events that found no room, and were not told of yet.
    lost: Arc<AtomicU64>,
}

struct Thread {
    emissions: SyncSender<Emission>,
    ended: oneshot::Receiver<()>,
}

impl WorkerEvents {
    /// To the subscriber and under the span of the calling thread.
    #[must_use]
    pub fn here() -> Self {
        Self {
            subscriber: Kept::new(get_default(Dispatch::clone)),
            span: Kept::new(Span::current()),
            thread: Mutex::default(),
            lost: Arc::default(),
        }
    }

    /// Emits events of a worker soon. The worker had no room for `dropped` more. Returns how many of all these will be
    /// seen by nobody.
    pub fn emit(&self, (worker, pid): (u32, u32), events: TraceEvents, dropped: u64) -> u64 {
        let all = events.len() as u64 + dropped;
        let is_sent = self.send(all, move || {
            for event in events {
                emit(event, worker, pid);
            }
            if dropped > 0 {
                // guarded: with its emission.
                tracing::warn!(worker, pid, dropped, "a worker has dropped events");
            }
        });
        if is_sent { dropped } else { all }
    }

    /// Emits an event of the supervisor's own soon; `emit` calls one macro of `tracing`.
    pub fn tell(&self, emit: impl FnOnce() + Send + 'static) {
        if !self.subscriber.is::<NoSubscriber>() {
            self.send(1, emit);
        }
    }

    /// Waits until all is emitted, but not for a subscriber that does not come back.
    pub async fn finish(&self) {
        let thread = lock(&self.thread).take();
        if let Some(Thread { emissions, ended }) = thread {
            drop(emissions);
            let _ = timeout(LAST_PATIENCE, ended).await;
        }
    }

    /// Has an emission of so many events emitted soon. Returns false when nobody will see them.
    fn send(&self, events: u64, emission: impl FnOnce() + Send + 'static) -> bool {
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            *thread = self.start();
        }
        let is_sent = thread
            .as_ref()
            .is_some_and(|thread| thread.emissions.try_send(Box::new(emission)).is_ok());
        if !is_sent {
            self.lost.fetch_add(events, Ordering::Relaxed);
        }
        is_sent
    }

    fn start(&self) -> Option<Thread> {
        let (emissions, queue) = sync_channel::<Emission>(MAX_WAITING);
        let (end, ended) = oneshot::channel::<()>();
        let to_both = || (Dispatch::clone(&self.subscriber), Span::clone(&self.span));
        let (subscriber, span) = guarded(to_both).ok()?;
        let (subscriber, span) = (Kept::new(subscriber), Kept::new(span));
        let lost = Arc::clone(&self.lost);
        let emit = move || {
            // Each by itself: one that makes the subscriber panic is lost, and no other.
            let emit_all = || {
                for emission in queue {
                    let _ = guarded(|| tell_lost(&lost));
                    let _ = guarded(emission);
                }
                let _ = guarded(|| tell_lost(&lost));
            };
            let _ = guarded(|| with_default(&subscriber, || span.in_scope(emit_all)));
            // Before the run ends: whoever waits for that may look for the end of the span.
            drop((subscriber, span));
            drop(end);
        };
        let thread = thread::Builder::new().name("mt-relay".into());
        thread.spawn(emit).ok()?;
        Some(Thread { emissions, ended })
    }
}

fn tell_lost(lost: &AtomicU64) {
    let dropped = lost.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        // guarded: by its caller.
        tracing::warn!(
            dropped,
            "events of workers were dropped, they are not emitted fast enough"
        );
    }
}

impl fmt::Debug for WorkerEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerEvents").finish_non_exhaustive()
    }
}
