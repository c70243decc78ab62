//! Workers that several runs share: where they wait for the next run, and how many there may be.
//!
//! Loop: one a post that nobody has yet; what it waits for is cancel-safe.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mt_ipc::{Program, WorkerStderr};
use tokio::sync::{Notify, oneshot};

use super::post::{Post, Recipe};

/// The workers of a pool.
#[derive(Debug)]
pub(crate) struct Lot {
    limits: LotLimits,
    state: Mutex<State>,
    /// Somebody waits for a worker, or was parked, or is gone.
    changed: Notify,
}

/// How many workers a pool has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LotLimits {
    /// The most at once; but every run that goes on may have one.
    pub(crate) processes: usize,
    /// Those that are kept however long there is nothing to do.
    pub(crate) keep: usize,
    /// How long the others wait for the next run.
    pub(crate) idle: Duration,
}

#[derive(Debug, Default)]
struct State {
    parked: VecDeque<Parked>,
    places: usize,
    next_ticket: u64,
    closed: bool,
}

/// A worker that waits.
#[derive(Debug)]
struct Parked {
    ticket: u64,
    kind: Kind,
    lease: oneshot::Sender<Post>,
}

/// What can't be changed once a worker is started.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    program: Option<PathBuf>,
    args: Vec<OsString>,
    stderr: WorkerStderr,
    beat_interval: Duration,
}

/// What a run gets when it asks for a worker.
pub(super) enum Got {
    /// One that had been waiting has taken the post.
    Taken,
    /// A place for a new one.
    Place(Post, Place),
    /// Nothing: the post was given up while it waited.
    Killed(Post),
}

/// The right to be one of the pool's workers.
#[derive(Debug)]
pub(super) struct Place {
    lot: Arc<Lot>,
}

/// Held by whoever has a post. When it is dropped, the run's other posts are thought about again.
#[derive(Debug)]
pub(crate) struct Seat {
    filled: Arc<AtomicUsize>,
    lot: Arc<Lot>,
}

/// A parked worker's end of its wait.
#[derive(Debug)]
pub(super) struct Wait {
    ticket: u64,
    pub(super) lease: oneshot::Receiver<Post>,
    pub(super) idle: Duration,
}

impl Kind {
    fn of(recipe: &Recipe) -> Self {
        let program = match &recipe.command.program {
            Program::Own => None,
            Program::File(path) => Some(path.clone()),
        };
        Self {
            program,
            args: recipe.command.args.clone(),
            stderr: recipe.command.stderr,
            beat_interval: recipe.beat_interval,
        }
    }
}

impl Lot {
    pub(crate) fn new(limits: LotLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Finds somebody for a post: one that waits, or a place for a new one. A run that has nobody does not
    /// wait for others, so that runs that wait for each other go on.
    pub(super) async fn fill(self: &Arc<Self>, mut post: Post) -> Got {
        post.seat = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            post = match self.try_fill(post) {
                Ok(got) => return got,
                Err(post) => post,
            };
            // Both are cancel-safe.
            tokio::select! {
                () = changed => {}
                () = post.killer.killed() => return Got::Killed(post),
            }
        }
    }

    fn try_fill(self: &Arc<Self>, mut post: Post) -> Result<Got, Post> {
        let kind = Kind::of(&post.recipe);
        let mut state = self.lock();
        while let Some(at) = state.parked.iter().rposition(|parked| parked.kind == kind) {
            let Some(parked) = state.parked.remove(at) else {
                break;
            };
            post.seat = Some(self.seat(&post.filled));
            post = match parked.lease.send(post) {
                Ok(()) => return Ok(Got::Taken),
                // It died while it waited.
                Err(post) => post,
            };
        }
        post.seat = None;
        let nobody = post.filled.load(Ordering::SeqCst) == 0;
        if nobody || state.places < self.limits.processes {
            state.places += 1;
            post.seat = Some(self.seat(&post.filled));
            let lot = Arc::clone(self);
            return Ok(Got::Place(post, Place { lot }));
        }
        // One of another kind makes room; its lease ends, and so does it.
        state.parked.pop_front();
        Err(post)
    }

    /// Takes note that somebody has one of a run's posts.
    fn seat(self: &Arc<Self>, filled: &Arc<AtomicUsize>) -> Seat {
        filled.fetch_add(1, Ordering::SeqCst);
        Seat {
            filled: Arc::clone(filled),
            lot: Arc::clone(self),
        }
    }

    /// Lets a worker wait for the next post; `None` when there is no use for it.
    pub(super) fn park(&self, recipe: &Recipe) -> Option<Wait> {
        let (sender, lease) = oneshot::channel();
        let mut state = self.lock();
        // More than that there are only while each is some run's only one.
        if state.closed || state.places > self.limits.processes {
            return None;
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.parked.push_back(Parked {
            ticket,
            kind: Kind::of(recipe),
            lease: sender,
        });
        drop(state);
        self.changed.notify_waiters();
        let idle = self.limits.idle;
        Some(Wait {
            ticket,
            lease,
            idle,
        })
    }

    /// A worker has waited for long enough. True when it may go; otherwise it is kept, or its lease is on
    /// its way.
    pub(super) fn withdraw(&self, wait: &Wait) -> bool {
        let mut state = self.lock();
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
        let mut state = self.lock();
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
                let state = self.lock();
                if state.closed && state.places == 0 {
                    return;
                }
            }
            changed.await;
        }
    }

    /// The workers there are, waiting or not.
    pub(crate) fn workers(&self) -> usize {
        self.lock().places
    }

    /// The workers that wait for a run.
    pub(crate) fn parked(&self) -> usize {
        self.lock().parked.len()
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// The worker is gone: what was given to it is somebody else's to do.
    pub(super) fn too_late(mut self) -> Option<Post> {
        self.lease.close();
        self.lease.try_recv().ok()
    }
}

impl Place {
    pub(super) fn lot(&self) -> &Lot {
        &self.lot
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.filled.fetch_sub(1, Ordering::SeqCst);
        self.lot.changed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lot.lock().places -= 1;
        self.lot.changed.notify_waiters();
    }
}
