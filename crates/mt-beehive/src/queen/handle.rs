//! The hive as tasks see it, and the desk where what they ask for waits for the driver.

use std::{
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use mt_pool::Wire;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use super::delegate::{Delegate, Reply, Waits};
use crate::{WorkerBee, hive::parent::Request};

/// The tasks that may be delegated and not resolved at once. Whoever delegates more waits.
const MAX_OUTSTANDING: usize = 1 << 16;

/// The hive: what a queen delegates to. Cheap to clone; may be used from several tasks and threads.
pub struct Hive<W> {
    desk: Arc<Desk>,
    bees: PhantomData<fn() -> W>,
}

impl<W> Clone for Hive<W> {
    fn clone(&self) -> Self {
        Self {
            desk: Arc::clone(&self.desk),
            bees: PhantomData,
        }
    }
}

impl<W: WorkerBee> fmt::Debug for Hive<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hive")
            .field("bees", &W::NAME)
            .finish_non_exhaustive()
    }
}

impl<W: WorkerBee> Hive<W> {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            bees: PhantomData,
        }
    }

    /// Delegates the task `name` to a worker bee. `args` is what the task takes: its argument, or a tuple of
    /// several. Nothing happens until it is awaited; then it ends with how the task ended, and who did it.
    ///
    /// Dropping what is awaited cancels the task.
    pub fn delegate<R: Wire>(&self, name: impl Into<String>, args: impl Wire) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.desk), name.into(), &args)
    }

    /// How busy a worker bee is: 0 is free, 1 is full; 0 without a limit. One of them answers.
    pub fn busy_status(&self) -> Delegate<f64> {
        self.delegate("busy_status", ())
    }

    /// One worker bee more (the seed's `subprocess_workerbee`).
    #[doc(alias = "subprocess_workerbee")]
    pub fn spawn(&self) {
        self.desk.tell(Asked::Spawn);
    }

    /// One worker bee less: this one, or the one with the least to do. She finishes what she has.
    pub fn bury(&self, child: Option<u32>) {
        self.desk.tell(Asked::Bury(child));
    }
}

/// What is asked of the driver.
#[derive(Debug)]
pub(super) enum Asked {
    /// A task, under a token, and where its answer goes.
    Task(u64, Request, Reply),
    /// Nobody waits for that task any more.
    Drop(u64),
    Spawn,
    Bury(Option<u32>),
}

/// Where what is asked for waits. Bounded by the tasks that may be outstanding: each asks twice at most; and
/// by how often the queen asks for bees.
#[derive(Debug)]
pub(super) struct Desk {
    asked: Mutex<State>,
    filled: Notify,
    places: Arc<Semaphore>,
    next_token: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    asked: VecDeque<Asked>,
    closed: bool,
}

impl Desk {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::default(),
            filled: Notify::new(),
            places: Arc::new(Semaphore::new(MAX_OUTSTANDING)),
            next_token: AtomicU64::new(0),
        })
    }

    /// Asks for a task; `None` when the hive is dead.
    pub(super) async fn ask(
        self: &Arc<Self>,
        request: Request,
        progress: Option<watch::Sender<Bytes>>,
    ) -> Option<(
        Waits,
        oneshot::Receiver<(mt_proto::TaskStatus, Option<u32>)>,
    )> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            answer: sender,
            progress,
        };
        self.tell(Asked::Task(token, request, reply));
        Some((Waits::new(Arc::clone(self), token, place), answer))
    }

    /// Leaves something for the driver.
    pub(super) fn tell(&self, asked: Asked) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let first = state.asked.is_empty();
        state.asked.push_back(asked);
        drop(state);
        if first {
            self.filled.notify_one();
        }
    }

    /// Driver: waits until something was asked for. Cancel-safe.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Driver: takes all of it.
    pub(super) fn take(&self) -> VecDeque<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    /// Driver: nothing is taken any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.asked.clear();
        drop(state);
        self.places.close();
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
