//! Workers that several runs share: where they wait for the next run, and how many there may be.
//!
//! Loop: one a lease that nobody has yet; what it waits for is cancel-safe.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mt_ipc::WorkerCommand;
use tokio::sync::{Notify, oneshot, watch};

use super::{
    death::DeathCause,
    deaths::Deaths,
    lease::{Lease, Permit},
    process_record::ProcessRecord,
    slots::{SlotNumber, Slots},
    spawn_spec::SpawnSpec,
};
use crate::lock::lock;

#[derive(Debug)]
pub(crate) struct IdleWorkers {
    limits: IdleLimits,
    state: Mutex<IdleState>,
    numbers: Slots,
    /// Somebody waits for a worker, or was parked, or is gone.
    changed: Arc<Notify>,
    /// Whether a run that has no worker waits for one.
    wanted: watch::Sender<bool>,
}

/// How many workers a pool has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdleLimits {
    /// The most at once, whoever has them.
    pub(crate) processes: usize,
    /// How many are kept however long there is nothing to do.
    pub(crate) keep: usize,
    /// How long the others wait for the next run.
    pub(crate) idle: Duration,
}

/// What has happened to the workers that runs share.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdleCounts {
    pub(crate) started: u64,
    pub(crate) reused: u64,
    pub(crate) deaths: Deaths,
    /// How many leases wait just now.
    pub(crate) waiting: usize,
}

#[derive(Debug, Default)]
struct IdleState {
    parked: VecDeque<Parked>,
    /// The leases that wait, in the order they came.
    waiting: Vec<WaitingLease>,
    slots: usize,
    counts: IdleCounts,
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

impl Parked {
    /// The slot of its process.
    fn number(&self) -> u32 {
        self.key.number
    }
}

/// A lease that waits.
#[derive(Debug)]
struct WaitingLease {
    ticket: u64,
    /// How many workers its owner has.
    taken: Arc<AtomicUsize>,
}

impl WaitingLease {
    /// Runs without a worker come first, and then who came first.
    fn rank(&self) -> (bool, u64) {
        (self.taken.load(Ordering::SeqCst) > 0, self.ticket)
    }
}

/// A place among those that wait. Given up when it is dropped.
struct WaitingPlace<'a> {
    idle: &'a IdleWorkers,
    ticket: u64,
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.idle.state);
        state.waiting.retain(|waiter| waiter.ticket != self.ticket);
        self.idle.tell_wanted(&state);
        drop(state);
        self.idle.changed.notify_waiters();
    }
}

/// What can't be changed once a worker is started: how it is, and how often it beats.
#[derive(Debug, PartialEq, Eq)]
struct StartKey {
    number: u32,
    command: WorkerCommand,
    beats: Duration,
}

/// How a worker in this slot is started; `None` if it can't be.
fn key_of(spec: &SpawnSpec, number: u32) -> Option<StartKey> {
    Some(StartKey {
        number,
        command: spec.command_in(number).ok()?,
        beats: spec.liveness.interval,
    })
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

#[cfg(test)]
impl IdleWait {
    /// A wait for this lease.
    pub(super) fn of(lease: oneshot::Receiver<Lease>) -> Self {
        Self {
            ticket: 0,
            lease,
            idle: Duration::ZERO,
        }
    }
}

impl IdleState {
    fn new_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Whether it is the turn of the lease with this ticket.
    fn is_next(&self, ticket: u64) -> bool {
        let next = self.waiting.iter().min_by_key(|waiter| waiter.rank());
        next.is_some_and(|next| next.ticket == ticket)
    }
}

impl IdleWorkers {
    pub(crate) fn new(limits: IdleLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            numbers: Slots::default(),
            changed: Arc::default(),
            wanted: watch::Sender::new(false),
        })
    }

    /// Finds somebody for a lease: one that waits, or a slot for a new one. Leases wait in turn, those of runs that have
    /// no worker before all others; while there are such, runs that have workers let them go when their turn is over.
    pub(super) async fn fill(self: &Arc<Self>, mut lease: Lease) -> Filled {
        lease.permit = None;
        let place = self.line_up(&lease);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            lease = match self.try_fill(lease, place.ticket) {
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

    fn line_up(&self, lease: &Lease) -> WaitingPlace<'_> {
        let mut state = lock(&self.state);
        let ticket = state.new_ticket();
        let taken = Arc::clone(&lease.taken);
        state.waiting.push(WaitingLease { ticket, taken });
        WaitingPlace { idle: self, ticket }
    }

    /// Whether a run that has no worker waits for one. To be watched by those that have some.
    pub(crate) fn wanted(&self) -> watch::Receiver<bool> {
        self.wanted.subscribe()
    }

    fn tell_wanted(&self, state: &IdleState) {
        let starve = |waiter: &WaitingLease| !waiter.rank().0;
        let wanted = state.slots >= self.limits.processes && state.waiting.iter().any(starve);
        self.wanted
            .send_if_modified(|before| std::mem::replace(before, wanted) != wanted);
    }

    fn try_fill(self: &Arc<Self>, mut lease: Lease, ticket: u64) -> Result<Filled, Lease> {
        let (mut keys, now) = (BTreeMap::new(), Instant::now());
        let mut state = loop {
            let state = lock(&self.state);
            let new = state.parked.iter().map(Parked::number);
            let new: Vec<u32> = new.filter(|number| !keys.contains_key(number)).collect();
            if new.is_empty() {
                break state;
            }
            // What these say of a slot may be a function of the user's.
            drop(state);
            keys.extend(
                new.into_iter()
                    .map(|number| (number, key_of(&lease.spec, number))),
            );
        };
        if !state.is_next(ticket) {
            self.tell_wanted(&state);
            return Err(lease);
        }
        let reuse = Arc::clone(&lease.spec);
        let fits = |parked: &Parked| {
            let key = keys.get(&parked.number()).and_then(Option::as_ref);
            key == Some(&parked.key) && parked.record.fits(&reuse.reuse, now)
        };
        while let Some(at) = state.parked.iter().rposition(fits) {
            let Some(parked) = state.parked.remove(at) else {
                break;
            };
            lease.permit = Some(Permit::new(&lease.taken, &self.changed));
            lease = match parked.lease.send(lease) {
                Ok(()) => {
                    state.counts.reused += 1;
                    return Ok(Filled::Taken);
                }
                // It died while it waited.
                Err(lease) => lease,
            };
        }
        lease.permit = None;
        if state.slots < self.limits.processes {
            state.slots += 1;
            state.counts.started += 1;
            lease.permit = Some(Permit::new(&lease.taken, &self.changed));
            return Ok(Filled::Slot(lease, Slot(Arc::clone(self))));
        }
        // One that does not fit makes room; its lease ends, and so does it. Without one, who has workers makes some.
        if state.parked.pop_front().is_none() {
            self.tell_wanted(&state);
        }
        Err(lease)
    }

    /// A slot for a process that was given the right to be one.
    pub(super) fn number(&self) -> SlotNumber {
        self.numbers.take()
    }

    /// Lets the worker in this slot wait for the next lease; `None` when there is no use for it.
    pub(super) fn park(
        &self,
        spec: &SpawnSpec,
        record: &ProcessRecord,
        number: u32,
    ) -> Option<IdleWait> {
        let key = key_of(spec, number)?;
        let (sender, lease) = oneshot::channel();
        let mut state = lock(&self.state);
        if state.closed {
            return None;
        }
        let ticket = state.new_ticket();
        state.parked.push_back(Parked {
            ticket,
            key,
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

    pub(crate) fn limits(&self) -> IdleLimits {
        self.limits
    }

    pub(crate) fn workers(&self) -> usize {
        lock(&self.state).slots
    }

    /// What has happened so far.
    pub(crate) fn counts(&self) -> IdleCounts {
        let state = lock(&self.state);
        let waiting = state.waiting.len();
        let counts = state.counts.clone();
        IdleCounts { waiting, ..counts }
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

impl Slot {
    /// The worker that has this has died of this.
    pub(super) fn count_death(&self, cause: &DeathCause) {
        lock(&self.0.state).counts.deaths.count(cause);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.0.state).slots -= 1;
        self.0.changed.notify_waiters();
    }
}
