//! Whom a worker works for, and how to reach whom.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mt_proto::WorkerId;
use tokio::sync::{Notify, mpsc};

use super::{
    control::WorkerControl,
    session_event::{SessionEvent, WorkerEnd},
    spawn_spec::SpawnSpec,
    worker_failure::WorkerFailure,
};

/// What ties a worker to one owner, from its start, or its reuse, to its end or its release.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(super) worker: WorkerId,
    pub(super) spec: Arc<SpawnSpec>,
    pub(super) control: WorkerControl,
    pub(super) events: mpsc::Sender<(WorkerId, SessionEvent)>,
    /// How many of the owner's leases some process has; for owners that share workers.
    pub(super) taken: Arc<AtomicUsize>,
    /// Held while some process has this one.
    pub(super) permit: Option<Permit>,
}

impl Lease {
    /// Tells the owner; one that is gone does not listen.
    pub(super) async fn tell(&self, event: SessionEvent) {
        let _ = self.events.send((self.worker, event)).await;
    }

    /// Tells that no process has taken it.
    pub(super) async fn void(self, failure: WorkerFailure) {
        let end = WorkerEnd::stopped(Some(failure));
        self.tell(SessionEvent::Ended(end)).await;
    }
}

/// Counts a lease as taken while it lives. When it is dropped, the owner's other leases are thought about again.
#[derive(Debug)]
pub(super) struct Permit {
    taken: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

impl Permit {
    pub(super) fn new(taken: &Arc<AtomicUsize>, changed: &Arc<Notify>) -> Self {
        taken.fetch_add(1, Ordering::SeqCst);
        let (taken, changed) = (Arc::clone(taken), Arc::clone(changed));
        Self { taken, changed }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}
