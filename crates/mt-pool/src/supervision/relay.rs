//! Emitting `tracing` events of a run in this process: those of its workers, and the run's own.
//!
//! A subscriber is user code, and may block on whatever it writes to. So a thread of its own calls it,
//! with a bounded queue before it; what finds no room there is counted.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use mt_proto::TraceEvent;
use tokio::{sync::oneshot, time::timeout};

use super::{callsite::emit, scope::CallScope};

/// The loads that wait. A load is one event of the run's own, or at most one control frame of a
/// worker's.
const LOADS: usize = 64;
/// How long the end of a run waits for the last events to be emitted.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// What is emitted in one go.
type Load = Box<dyn FnOnce() + Send>;

/// Emits the events of a run.
pub(crate) struct Relay {
    pub(crate) scope: CallScope,
    /// Events that found no room, and were not told of yet.
    lost: u64,
    thread: Option<Thread>,
}

struct Thread {
    loads: SyncSender<Load>,
    ended: oneshot::Receiver<()>,
}

impl Relay {
    pub(crate) fn new(scope: CallScope) -> Self {
        Self {
            scope,
            lost: 0,
            thread: None,
        }
    }

    /// Emits events soon; they are `events` many. Returns false when nobody will see them.
    pub(crate) fn emit(&mut self, events: u64, load: impl FnOnce() + Send + 'static) -> bool {
        let lost = self.lost;
        let load = move || {
            if lost > 0 {
                tracing::warn!(
                    dropped = lost,
                    "events of workers were dropped, they are not emitted fast enough"
                );
            }
            load();
        };
        let is_sent = match self.thread() {
            Some(thread) => thread.loads.try_send(Box::new(load)).is_ok(),
            None => false,
        };
        self.lost = if is_sent { 0 } else { lost + events };
        is_sent
    }

    /// Waits until all is emitted, but not for a subscriber that does not come back.
    pub(crate) async fn finish(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.finish().await;
        }
    }

    /// The thread that emits, started for the first event.
    fn thread(&mut self) -> Option<&Thread> {
        if self.thread.is_none() {
            let (loads, queue) = sync_channel::<Load>(LOADS);
            let (end, ended) = oneshot::channel::<()>();
            let scope = self.scope.clone();
            thread::Builder::new()
                .name("mt-relay".into())
                .spawn(move || {
                    scope.enter(|| queue.into_iter().for_each(|load| load()));
                    // Before the run ends: whoever waits for that may look for the end of the span.
                    drop(scope);
                    drop(end);
                })
                .ok()?;
            self.thread = Some(Thread { loads, ended });
        }
        self.thread.as_ref()
    }
}

impl Thread {
    async fn finish(self) {
        drop(self.loads);
        let _ = timeout(LAST_PATIENCE, self.ended).await;
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

/// What emits events of a worker.
pub(crate) fn load(
    worker: u32,
    pid: u32,
    events: Vec<TraceEvent>,
    dropped: u64,
) -> impl FnOnce() + Send + 'static {
    move || {
        for event in &events {
            emit(event, worker, pid);
        }
        if dropped > 0 {
            tracing::warn!(worker, pid, dropped, "a worker has dropped events");
        }
    }
}

/// Emits events of workers that are no pool's, for their own supervisor.
#[derive(Debug)]
pub struct WorkerEvents {
    relay: Mutex<Relay>,
}

impl WorkerEvents {
    /// To the subscriber and under the span of the calling thread.
    #[must_use]
    pub fn here() -> Self {
        Self {
            relay: Mutex::new(Relay::new(CallScope::current())),
        }
    }

    /// Emits events of a worker soon. It had no room for `dropped` more.
    pub fn emit(&self, (worker, pid): (u32, u32), events: Vec<TraceEvent>, dropped: u64) {
        let all = events.len() as u64 + dropped;
        self.lock().emit(all, load(worker, pid, events, dropped));
    }

    /// Emits an event of the supervisor's own soon; `emit` calls one macro of `tracing`.
    pub fn tell(&self, emit: impl FnOnce() + Send + 'static) {
        let mut relay = self.lock();
        if relay.scope.is_listening() {
            relay.emit(1, emit);
        }
    }

    /// Waits until all is emitted, but not for a subscriber that does not come back.
    pub async fn finish(&self) {
        let thread = self.lock().thread.take();
        if let Some(thread) = thread {
            thread.finish().await;
        }
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, Relay> {
        self.relay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
