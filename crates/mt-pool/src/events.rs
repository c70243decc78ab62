//! What a run tells about itself while it goes on.

mod log;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use mt_ipc::Exit;
use mt_proto::{Kept, guarded};

use crate::supervision::{Death, WorkerFailure};

pub use crate::dispatch::MemoryShortage;
pub(crate) use log::EventLog;
pub use log::PoolEvents;

/// Something happened to a worker of a run.
///
/// Of each, `worker` is the worker's number in this run, 0, 1, 2 … in the order of the starts, and `pid` the id of its
/// process.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the fields that many have are said once, above"
)]
pub enum PoolEvent {
    /// A worker process was started.
    WorkerStarted { worker: u32, pid: u32 },
    /// A worker process that another run has left behind is used: see [`Pool`](crate::Pool).
    WorkerReused { worker: u32, pid: u32 },
    /// A worker process is left to other runs: see [`Pool`](crate::Pool).
    WorkerReleased { worker: u32, pid: u32 },
    /// A worker process has not said hello yet, and may still. Told after 2 s, 4 s, 8 s … See
    /// [`start_limit`](crate::limits::WorkerOptions::start_limit).
    WorkerSlow {
        worker: u32,
        pid: u32,
        /// For how long.
        waited: Duration,
    },
    /// A worker is set up and takes items.
    WorkerReady { worker: u32 },
    /// A worker could not be started or set up. The pool tries again under its restart budget.
    WorkerFailed {
        worker: u32,
        /// Why.
        cause: Arc<WorkerFailure>,
    },
    /// A worker died. Its process is reaped.
    WorkerDied {
        worker: u32,
        pid: u32,
        /// How.
        death: Death,
        /// When the pool knew.
        noticed: Instant,
    },
    /// A worker went because it was told to. Its process is reaped.
    WorkerLeft {
        worker: u32,
        pid: u32,
        /// How the process ended.
        exit: Exit,
    },
    /// A worker gives no sign of life. See [`LivenessPolicy`](crate::supervision::LivenessPolicy).
    WorkerFrozen { worker: u32, pid: u32 },
    /// A worker beats and gets no further. See [`LivenessPolicy`](crate::supervision::LivenessPolicy).
    WorkerBlocked {
        worker: u32,
        pid: u32,
        /// For how long, at least.
        since: Duration,
    },
    /// A worker is stopped (`SIGSTOP`, a debugger) and gives no sign of life.
    WorkerStopped { worker: u32, pid: u32 },
    /// An exit hook returned an error or panicked. Its worker goes all the same.
    ExitHookFailed {
        worker: u32,
        /// What the hook said.
        message: String,
    },
    /// Items were sent to a worker, which starts them in this order as it gets on. Those it has not
    /// finished when it dies are sent to another one.
    ItemsGiven {
        worker: u32,
        /// The first item's position in the input.
        first: u64,
        /// How many items follow each other from there.
        count: u32,
    },
    /// A worker has opened a [`Context`](crate::Context), for the next of its items.
    ContextOpened { worker: u32 },
    /// A worker could not open a context. That is the outcome of the items that were to run in it.
    ContextOpenFailed {
        worker: u32,
        /// What the context's code said.
        message: String,
    },
    /// A worker has closed a context.
    ContextClosed { worker: u32 },
    /// A context failed to close after its items had their outcomes.
    ContextCloseFailed {
        worker: u32,
        /// What the context's code said.
        message: String,
    },
    /// Memory is short: items run one at a time until there is more. Told as a `tracing` warning too.
    MemoryShort {
        /// Whose, and by which option.
        whose: MemoryShortage,
    },
    /// Memory is no longer short: items run as many at a time as ever.
    MemoryEased,
    /// The run was interrupted by a signal: what runs is finished and the rest cancelled, or all is, as the run has it.
    Interrupted,
}

impl PoolEvent {
    /// Whether it comes with items rather than with workers: there may be many thousands a second.
    pub(crate) fn is_frequent(&self) -> bool {
        matches!(
            self,
            Self::ItemsGiven { .. } | Self::ContextOpened { .. } | Self::ContextClosed { .. }
        )
    }
}

/// Who is told of the events of a run. Dropping it ends the log.
#[derive(Debug)]
pub(crate) struct Audience {
    observer: Option<Observer>,
    log: Arc<EventLog>,
}

impl Audience {
    pub(crate) fn new(observer: Option<Observer>, log: Arc<EventLog>) -> Self {
        Self { observer, log }
    }

    pub(crate) fn tell(&self, event: PoolEvent) {
        if let Some(observer) = &self.observer {
            observer.tell(&event);
        }
        if !event.is_frequent() {
            self.log.add(event);
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.log.end();
    }
}

/// Called with every event, on the run's own thread.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Kept<Observe>>);

type Observe = Box<dyn Fn(&PoolEvent) + Send + Sync>;

impl Observer {
    pub(crate) fn new(call: impl Fn(&PoolEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Kept::new(Box::new(call))))
    }

    /// A panic of the observer, which was shown as every panic is, does not end the run.
    pub(crate) fn tell(&self, event: &PoolEvent) {
        let _ = guarded(|| (self.0)(event));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
