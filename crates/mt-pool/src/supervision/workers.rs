//! The worker processes of one owner.

use std::sync::{Arc, atomic::AtomicUsize};

use mt_proto::WorkerId;
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    control::WorkerControl,
    frame_source::{FrameSource, SendsItself},
    idle_workers::IdleWorkers,
    lease::Lease,
    session::{run, run_shared},
    session_event::SessionEvent,
    slots::Slots,
    spawn_spec::SpawnSpec,
};

/// The events of all workers that may wait for their owner. A session that finds no place waits, and
/// so does its worker, by the socket.
const MAX_EVENTS: usize = 256;

/// Events of the workers of one owner, in the order in which they happened to each.
pub type SessionEvents = mpsc::Receiver<(WorkerId, SessionEvent)>;

/// The worker processes of one owner. Dropping it kills those that are not shared.
#[derive(Debug)]
pub struct Workers {
    spec: Arc<SpawnSpec>,
    sessions: JoinSet<()>,
    /// Of those that are not shared.
    slots: Slots,
    /// Set if owners share the workers.
    idle: Option<Arc<IdleWorkers>>,
    /// How many of the shared workers this owner has.
    taken: Arc<AtomicUsize>,
    events: mpsc::Sender<(WorkerId, SessionEvent)>,
}

impl Workers {
    /// None yet. Their sessions are tasks of the current tokio runtime.
    #[must_use]
    pub fn new(spec: SpawnSpec) -> (Self, SessionEvents) {
        Self::sharing(spec, None)
    }

    /// The same, with processes that other owners may have used before and will use again.
    pub(crate) fn sharing(
        spec: SpawnSpec,
        idle: Option<Arc<IdleWorkers>>,
    ) -> (Self, SessionEvents) {
        let (events, received) = mpsc::channel(MAX_EVENTS);
        let workers = Self {
            spec: Arc::new(spec),
            sessions: JoinSet::new(),
            slots: Slots::default(),
            idle,
            taken: Arc::default(),
            events,
        };
        (workers, received)
    }

    /// Starts a worker under this number, whose owner sends to it by itself.
    pub fn start(&mut self, worker: WorkerId) -> WorkerControl {
        let Some(idle) = &self.idle else {
            return self.start_with(worker, Arc::new(SendsItself));
        };
        let lease = self.lease(worker);
        let control = lease.control.clone();
        // It may outlive this owner, and be waited for by the next.
        tokio::spawn(run_shared(lease, Arc::clone(idle), SendsItself));
        control
    }

    /// Starts a worker under this number, to which is sent what waits in `frames`.
    pub fn start_with(&mut self, worker: WorkerId, frames: Arc<impl FrameSource>) -> WorkerControl {
        let lease = self.lease(worker);
        let control = lease.control.clone();
        // Asked for at once, and not in the session's first turn: the process starts while its owner gets going.
        let slot = self.slots.take();
        let asked = self.spec.request(&slot);
        self.sessions.spawn(run(lease, asked, slot, frames));
        control
    }

    pub(crate) fn are_shared(&self) -> bool {
        self.idle.is_some()
    }

    /// Forgets the sessions that have ended. To be called for every [`SessionEvent::Ended`].
    pub fn reap(&mut self) {
        while self.sessions.try_join_next().is_some() {}
    }

    /// Waits until every session has ended. Cancel-safe.
    pub async fn join_all(&mut self) {
        while self.sessions.join_next().await.is_some() {}
    }

    fn lease(&self, worker: WorkerId) -> Lease {
        Lease {
            worker,
            spec: Arc::clone(&self.spec),
            control: WorkerControl::default(),
            events: self.events.clone(),
            taken: Arc::clone(&self.taken),
            permit: None,
        }
    }
}
