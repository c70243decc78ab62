//! The workers as the supervisor handles them: their senders, their killers, their numbers.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use mt_ipc::{FrameSender, Progress, SendError};
use mt_proto::{Beat, Segment, ToWorker, WorkerId};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    lot::Lot,
    post::{CrewEvent, Killer, Post, Recipe},
    pump::{pump, pump_shared},
};
use crate::{
    dispatch::{Look, Turn},
    supervision::DeathCause,
};

/// The events of all workers that may wait for the supervisor. A pump that finds no place waits, and
/// so does its worker, by the socket.
const CREW_EVENTS: usize = 256;

/// All workers of a run.
#[derive(Debug)]
pub(super) struct Workers {
    recipe: Arc<Recipe>,
    handles: BTreeMap<WorkerId, WorkerHandle>,
    /// Whether workers finish one item before they start the next.
    in_order: bool,
    pumps: JoinSet<()>,
    /// The pool whose workers these are, if they are shared.
    lot: Option<Arc<Lot>>,
    /// How many of them this run has.
    filled: Arc<AtomicUsize>,
    events: mpsc::Sender<(WorkerId, CrewEvent)>,
}

#[derive(Debug)]
struct WorkerHandle {
    killer: Killer,
    pid: Option<u32>,
    sender: Option<FrameSender>,
    progress: Option<Progress>,
    /// The processor time it had used when that was last looked at.
    ticks: Option<u64>,
    /// What the pool killed it for, if it did.
    condemned: Option<DeathCause>,
}

impl Workers {
    pub(super) fn new(
        recipe: Recipe,
        in_order: bool,
        lot: Option<Arc<Lot>>,
    ) -> (Self, mpsc::Receiver<(WorkerId, CrewEvent)>) {
        let (events, received) = mpsc::channel(CREW_EVENTS);
        let workers = Self {
            recipe: Arc::new(recipe),
            handles: BTreeMap::new(),
            in_order,
            pumps: JoinSet::new(),
            lot,
            filled: Arc::default(),
            events,
        };
        (workers, received)
    }

    /// Starts a worker under this number.
    pub(super) fn start(&mut self, worker: WorkerId) {
        let killer = Killer::default();
        let recipe = Arc::clone(&self.recipe);
        let post = Post {
            worker,
            recipe,
            killer: killer.clone(),
            events: self.events.clone(),
            filled: Arc::clone(&self.filled),
            seat: None,
        };
        match &self.lot {
            None => {
                self.pumps.spawn(pump(post));
            }
            Some(lot) => {
                // It may outlive this run, and be waited for by the next.
                tokio::spawn(pump_shared(post, Arc::clone(lot)));
            }
        }
        let handle = WorkerHandle {
            killer,
            pid: None,
            sender: None,
            progress: None,
            ticks: None,
            condemned: None,
        };
        self.handles.insert(worker, handle);
    }

    /// Its process exists.
    pub(super) fn started(&mut self, worker: WorkerId, pid: u32) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.pid = Some(pid);
        }
    }

    /// It can be spoken to.
    pub(super) fn greeted(&mut self, worker: WorkerId, sender: FrameSender, progress: Progress) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.sender = Some(sender);
            handle.progress = Some(progress);
        }
    }

    /// Sends items. What a worker that is just dying does not get is not lost: dispatch knows that
    /// it was sent and gives it to another one.
    pub(super) fn send(&self, worker: WorkerId, run: Segment, patience: Option<Duration>) {
        if let Some(patience) = patience {
            self.say(worker, ToWorker::Patience(patience));
        }
        self.say(worker, ToWorker::Items(run));
    }

    /// Tells a worker to finish and go, or that the parent lives.
    pub(super) fn beat(&self, worker: WorkerId, beat: Beat) {
        self.say(worker, ToWorker::Beat(beat));
    }

    /// Tells a worker that this run has no more use for it.
    pub(super) fn release(&self, worker: WorkerId) {
        let greeted = |handle: &WorkerHandle| handle.sender.is_some();
        match self.lot {
            Some(_) if self.handles.get(&worker).is_some_and(greeted) => {
                self.say(worker, ToWorker::Rest);
            }
            Some(_) => {
                if let Some(handle) = self.handles.get(&worker) {
                    handle.killer.kill();
                }
            }
            None => self.beat(worker, Beat::Die),
        }
    }

    /// Tells every worker that the parent lives.
    pub(super) fn beat_all(&self) {
        for worker in self.handles.keys() {
            self.beat(*worker, Beat::Alive);
        }
    }

    fn say(&self, worker: WorkerId, message: ToWorker) {
        let Some(handle) = self.handles.get(&worker) else {
            return;
        };
        let Some(sender) = &handle.sender else { return };
        let is_beat = matches!(message, ToWorker::Beat(_));
        match sender.try_send(message.into_frame()) {
            Ok(()) | Err(SendError::Closed) => {}
            // A worker that has been stopped for minutes. Whether it is frozen is for `liveness` to
            // say, and one that misses its leave is killed after its grace.
            Err(_) if is_beat => {}
            // Dispatch sends within the queue's bound, so this can't be.
            Err(_) => handle.killer.kill(),
        }
    }

    /// Ends a worker. The first cause stands.
    pub(super) fn kill(&mut self, worker: WorkerId, cause: DeathCause) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.condemned.get_or_insert(cause);
            handle.killer.kill();
        }
    }

    /// Asks a worker to end, and ends it when it has not after a grace. The first cause stands.
    pub(super) fn terminate(&mut self, worker: WorkerId, cause: DeathCause) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.condemned.get_or_insert(cause);
            handle.killer.terminate();
        }
    }

    /// How far each worker is, for those that can tell.
    pub(super) fn looks(&self) -> Vec<(WorkerId, Look)> {
        let told = |(worker, handle): (&WorkerId, &WorkerHandle)| {
            let progress = handle.progress.as_ref()?;
            // In this order: what had been finished by then had been started.
            let finished = progress.finished();
            let turn = |turn: mt_ipc::Turn| Turn {
                place: turn.place,
                number: turn.number,
            };
            let look = Look {
                finished,
                started: progress.started(),
                in_order: self.in_order,
                turn: progress.turn_of().map(turn),
            };
            Some((*worker, look))
        };
        self.handles.iter().filter_map(told).collect()
    }

    /// Whether there is nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Takes note of the processor time a worker has used; whether it is more than before.
    pub(super) fn note_ticks(&mut self, worker: WorkerId, ticks: Option<u64>) -> bool {
        let Some(handle) = self.handles.get_mut(&worker) else {
            return false;
        };
        std::mem::replace(&mut handle.ticks, ticks) != ticks
    }

    /// The processes there are.
    pub(super) fn pids(&self) -> Vec<(WorkerId, u32)> {
        let known = |(worker, handle): (&WorkerId, &WorkerHandle)| Some((*worker, handle.pid?));
        self.handles.iter().filter_map(known).collect()
    }

    /// Its pid, once it has one.
    pub(super) fn pid(&self, worker: WorkerId) -> Option<u32> {
        self.handles.get(&worker)?.pid
    }

    /// It is reaped. Returns its pid and what the pool killed it for.
    pub(super) fn ended(&mut self, worker: WorkerId) -> (Option<u32>, Option<DeathCause>) {
        let handle = self.handles.remove(&worker);
        // The pump has told its last, so its task is done or about to be.
        while self.pumps.try_join_next().is_some() {}
        handle.map_or((None, None), |handle| (handle.pid, handle.condemned))
    }
}
