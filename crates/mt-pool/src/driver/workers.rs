//! The workers of a run as its driver handles them: how to send to each, how to end it, how far it is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mt_ipc::{FrameSender, Progress, SendError};
use mt_proto::{Beat, Frame, ItemIndex, Kind, PreparedId, Segment, ToExecutor, ToWorker, WorkerId};

use crate::{
    dispatch::{Look, Prepared},
    supervision::{DeathCause, IdleWorkers, SessionEvents, SpawnSpec, WorkerControl, Workers},
};

#[derive(Debug)]
pub(super) struct WorkerHandles {
    workers: Workers,
    handles: BTreeMap<WorkerId, WorkerHandle>,
    /// Whether workers finish one item before they start the next.
    in_order: bool,
}

#[derive(Debug)]
struct WorkerHandle {
    control: WorkerControl,
    pid: Option<u32>,
    /// How to send to it, and the memory it shares, once it has said hello.
    link: Option<(FrameSender, Progress)>,
}

impl WorkerHandles {
    pub(super) fn new(
        spec: SpawnSpec,
        in_order: bool,
        idle: Option<Arc<IdleWorkers>>,
    ) -> (Self, SessionEvents) {
        let (workers, events) = Workers::sharing(spec, idle);
        let all = Self {
            workers,
            handles: BTreeMap::new(),
            in_order,
        };
        (all, events)
    }

    pub(super) fn start(&mut self, worker: WorkerId) {
        let handle = WorkerHandle {
            control: self.workers.start(worker),
            pid: None,
            link: None,
        };
        self.handles.insert(worker, handle);
    }

    pub(super) fn started(&mut self, worker: WorkerId, pid: u32) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.pid = Some(pid);
        }
    }

    pub(super) fn greeted(&mut self, worker: WorkerId, sender: FrameSender, progress: Progress) {
        if let Some(handle) = self.handles.get_mut(&worker) {
            handle.link = Some((sender, progress));
        }
    }

    /// Sends items. What a worker that is just dying does not get is not lost: dispatch knows that
    /// it was sent and gives it to another one.
    pub(super) fn send(&self, worker: WorkerId, items: Segment, patience: Option<Duration>) {
        if let Some(handle) = self.handles.get(&worker) {
            handle.control.count_items(u64::from(items.count));
        }
        if let Some(patience) = patience {
            self.say(worker, ToExecutor::Patience(patience).into_frame());
        }
        self.say(worker, ToExecutor::Items(items).into_frame());
    }

    /// A worker need not begin a call any more, or go on with it. One that does not hear it is ended for the call.
    pub(super) fn withdraw(&self, worker: WorkerId, call: ItemIndex) {
        self.say(worker, ToExecutor::Withdraw(call).into_frame());
    }

    /// A worker is sent calls of a prepared task.
    pub(super) fn prepare(&self, worker: WorkerId, prepared: &Prepared) {
        self.say(worker, prepared.frame.clone());
    }

    /// A worker is sent no further ones.
    pub(super) fn forget(&self, worker: WorkerId, prepared: PreparedId) {
        self.say(worker, ToExecutor::Forget(prepared).into_frame());
    }

    /// Of the items it has, a worker starts none from this one on.
    pub(super) fn set_gate(&self, worker: WorkerId, gate: Option<ItemIndex>) {
        let handle = self.handles.get(&worker);
        if let Some((_, progress)) = handle.and_then(|handle| handle.link.as_ref()) {
            progress.set_gate(gate.map(|gate| gate.0));
            // A beat makes it look, and so does the next one if there is no room for this.
            self.say(worker, ToWorker::Beat(Beat::Alive).into_frame());
        }
    }

    pub(super) fn retire(&self, worker: WorkerId) {
        self.say(worker, ToWorker::Beat(Beat::Die).into_frame());
    }

    /// Tells a worker that this run has no more use for it.
    pub(super) fn release(&self, worker: WorkerId) {
        if !self.workers.are_shared() {
            return self.retire(worker);
        }
        match self.handles.get(&worker) {
            Some(handle) if handle.link.is_none() => handle.control.kill(DeathCause::Stopped),
            Some(handle) => {
                handle.control.release();
                self.say(worker, ToWorker::Rest.into_frame());
            }
            None => {}
        }
    }

    fn say(&self, worker: WorkerId, frame: Frame) {
        let Some(WorkerHandle {
            control,
            link: Some((sender, _)),
            ..
        }) = self.handles.get(&worker)
        else {
            return;
        };
        let may_be_left = frame.kind.is_control() || frame.kind == Kind::Withdraw;
        match sender.try_send(frame) {
            Ok(()) | Err(SendError::Closed) => {}
            // A worker that has been stopped for minutes: one that misses its leave, or a withdrawal, is killed after a
            // grace.
            Err(_) if may_be_left => {}
            // Dispatch sends within the queue's bound, so this can't be.
            Err(_) => control.kill(DeathCause::Stopped),
        }
    }

    /// Ends a worker; one that has overrun is asked to end first, and has a grace. The first cause stands.
    pub(super) fn end(&self, worker: WorkerId, cause: DeathCause) {
        match self.handles.get(&worker) {
            Some(handle) if cause == DeathCause::Overran => handle.control.terminate(cause),
            Some(handle) => handle.control.kill(cause),
            None => {}
        }
    }

    /// Whether what the worker still says is not to be believed.
    pub(super) fn is_broken(&self, worker: WorkerId) -> bool {
        let handle = self.handles.get(&worker);
        handle.is_none_or(|handle| handle.control.is_broken())
    }

    /// How far each worker is, for those that can tell.
    pub(super) fn looks(&self) -> Vec<(WorkerId, Look)> {
        let look = |(worker, handle): (&WorkerId, &WorkerHandle)| {
            let (_, progress) = handle.link.as_ref()?;
            // In this order: what had been finished by then had been started.
            let finished = progress.finished();
            let look = Look {
                finished,
                started: progress.started(),
                in_order: self.in_order,
                turn: progress.turn_of(),
            };
            Some((*worker, look))
        };
        self.handles.iter().filter_map(look).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    pub(super) fn pids(&self) -> Vec<(WorkerId, u32)> {
        let known = |(worker, handle): (&WorkerId, &WorkerHandle)| Some((*worker, handle.pid?));
        self.handles.iter().filter_map(known).collect()
    }

    pub(super) fn pid(&self, worker: WorkerId) -> Option<u32> {
        self.handles.get(&worker)?.pid
    }

    /// A worker is reaped, or left to others. Returns its pid.
    pub(super) fn ended(&mut self, worker: WorkerId) -> Option<u32> {
        self.workers.reap();
        self.handles.remove(&worker)?.pid
    }
}
