//! Workers that several runs share: where they wait for the next run, and how many there may be.
//!
//! Loop: one a lease that nobody has yet; what it waits for is cancel-safe.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use mt_ipc::WorkerCommand;
use tokio::sync::{Notify, oneshot};

use super::{
    lease::{Lease, Permit},
    process_record::ProcessRecord,
    spawn_spec::SpawnSpec,
};
use crate::lock::lock;

#[derive(Debug)]
pub(crate) struct IdleWorkers {
    limits: IdleLimits,
    state: Mutex<IdleState>,
    /// Somebody waits for a worker, or was parked, or is gone.
    changed: Arc<Notify>,
}

/// How many workers a pool has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdleLimits {
    /// The most at once; but every run that goes on may have one.
    pub(crate) processes: usize,
    /// How many are kept however long there is nothing to do.
    pub(crate) keep: usize,
    /// How long the others wait for the next run.
    pub(crate) idle: Duration,
}

#[derive(Debug, Default)]
struct IdleState {
    parked: VecDeque<Parked>,
    slots: usize,
    next_ticket: u64,
    closed: bool,
}

#[derive(Debug)]
struct Parked {
    ticket: u64,
    key: StartKey,
    record: ProcessRecord,
    lease: oneshot::Sender<Lease>,
}

/// What can't be changed once a worker is started: how it is, how often it beats, and its stack.
type StartKey = (WorkerCommand, Duration, u64);

fn key_of(spec: &SpawnSpec) -> StartKey {
    (
        spec.command.clone(),
        spec.liveness.interval,
        spec.stack_bytes,
    )
}

/// What a run gets when it asks for a worker.
pub(super) enum Filled {
    /// One that had been waiting has taken the lease.
    Taken,
    Slot(Lease, Slot),
    /// Nothing: the lease was given up while it waited.
    Killed(Lease),
}

/// The right to be one of the pool's workers.
#[derive(Debug)]
pub(super) struct Slot(pub(super) Arc<IdleWorkers>);

#[derive(Debug)]
pub(super) struct IdleWait {
    ticket: u64,
    pub(super) lease: oneshot::Receiver<Lease>,
    pub(super) idle: Duration,
}

impl IdleWorkers {
    pub(crate) fn new(limits: IdleLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            changed: Arc::default(),
        })
    }

    /// Finds somebody for a lease: one that waits, or a slot for a new one. A run that has nobody does not
    /// wait for others, so that runs that wait for each other go on.
    pub(super) async fn fill(self: &Arc<Self>, mut lease: Lease) -> Filled {
        lease.permit = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            lease = match self.try_fill(lease) {
                Ok(got) => return got,
                Err(lease) => lease,
            };
            // Both are cancel-safe.
            tokio::select! {
                () = changed => {}
                () = lease.control.killed() => return Filled::Killed(lease),
            }
        }
    }

    fn try_fill(self: &Arc<Self>, mut lease: Lease) -> Result<Filled, Lease> {
        let (key, now) = (key_of(&lease.spec), Instant::now());
        let mut state = lock(&self.state);
        let reuse = Arc::clone(&lease.spec);
        let fits = |parked: &Parked| parked.key == key && parked.record.fits(&reuse.reuse, now);
        while let Some(at) = state.parked.iter().rposition(fits) {
            let Some(parked) = state.parked.remove(at) else {
                break;
            };
            lease.permit = Some(Permit::new(&lease.taken, &self.changed));
            lease = match parked.lease.send(lease) {
                Ok(()) => return Ok(Filled::Taken),
                // It died while it waited.
                Err(lease) => lease,
            };
        }
        lease.permit = None;
        let nobody = lease.taken.load(Ordering::SeqCst) == 0;
        if nobody || state.slots < self.limits.processes {
            state.slots += 1;
            lease.permit = Some(Permit::new(&lease.taken, &self.changed));
            return Ok(Filled::Slot(lease, Slot(Arc::clone(self))));
        }
        // One that does not fit makes room; its lease ends, and so does it.
        state.parked.pop_front();
        Err(lease)
    }

    /// Lets a worker wait for the next lease; `None` when there is no use for it.
    pub(super) fn park(&self, spec: &SpawnSpec, record: &ProcessRecord) -> Option<IdleWait> {
        let (sender, lease) = oneshot::channel();
        let mut state = lock(&self.state);
        // More than that there are only while each is some run's only one.
        if state.closed || state.slots > self.limits.processes {
            return None;
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.parked.push_back(Parked {
            ticket,
            key: key_of(spec),
            record: record.clone(),
            lease: sender,
        });
        drop(state);
        self.changed.notify_waiters();
        let idle = self.limits.idle;
        Some(IdleWait {
            ticket,
            lease,
            idle,
        })
    }

    /// A worker has waited for long enough. True when it may go; otherwise it is kept, or its lease is on
    /// its way.
    pub(super) fn withdraw(&self, wait: &IdleWait) -> bool {
        let mut state = lock(&self.state);
        let at = state.parked.iter().position(|p| p.ticket == wait.ticket);
        match at {
            Some(at) if state.parked.len() > self.limits.keep => {
                state.parked.remove(at);
                true
            }
            _ => false,
        }
    }

    /// Nobody may wait any more; those that do are told to go.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.parked.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until it is closed and nobody is left. Cancel-safe.
    pub(crate) async fn deserted(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = lock(&self.state);
                if state.closed && state.slots == 0 {
                    return;
                }
            }
            changed.await;
        }
    }

    pub(crate) fn workers(&self) -> usize {
        lock(&self.state).slots
    }

    pub(crate) fn parked(&self) -> usize {
        lock(&self.state).parked.len()
    }
}

impl IdleWait {
    /// The worker is gone: what was given to it is somebody else's to do.
    pub(super) fn too_late(mut self) -> Option<Lease> {
        self.lease.close();
        self.lease.try_recv().ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.0.state).slots -= 1;
        self.0.changed.notify_waiters();
    }
}
