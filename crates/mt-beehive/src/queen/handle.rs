//! The hive as tasks see it, and the desk where what they ask for waits for the driver.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mt_pool::Wire;
use mt_proto::TaskId;
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

    pub(super) fn into_desk(self) -> Arc<Desk> {
        self.desk
    }

    /// Delegates the task `name` to a worker bee. `args` is what the task takes: its argument, or a tuple of
    /// several. Nothing happens until it is awaited; then it ends with how the task ended, and who did it.
    ///
    /// Dropping what is awaited cancels the task.
    pub fn delegate<R: Wire>(&self, name: impl Into<String>, args: impl Wire) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.desk), Cow::Owned(name.into()), &args)
    }

    /// The same for a name known when the program was compiled. For the macros.
    #[doc(hidden)]
    pub fn __delegate<R: Wire>(&self, name: &'static str, args: impl Wire) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.desk), Cow::Borrowed(name), &args)
    }

    /// How busy a worker bee is: 0 is free, 1 is full; 0 without a limit. One of them answers.
    pub fn busy_status(&self) -> Delegate<f64> {
        self.__delegate("busy_status", ())
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
    /// A task, and where its answer goes.
    Task(TaskId, Request, Reply),
    /// Nobody waits for that task any more.
    Drop(TaskId),
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
}

#[derive(Debug, Default)]
struct State {
    asked: VecDeque<Asked>,
    next_task: u64,
    closed: bool,
}

impl Desk {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::default(),
            filled: Notify::new(),
            places: Arc::new(Semaphore::new(MAX_OUTSTANDING)),
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
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            answer: sender,
            progress,
        };
        let task_id = self.tell_in_turn(|task_id| Asked::Task(task_id, request, reply))?;
        Some((Waits::new(Arc::clone(self), task_id, place), answer))
    }

    /// Leaves something for the driver.
    pub(super) fn tell(&self, asked: Asked) {
        self.put(&mut self.lock(), asked);
    }

    /// The same for a task, with the id that the machine will give it: they count up alike.
    fn tell_in_turn(&self, ask: impl FnOnce(TaskId) -> Asked) -> Option<TaskId> {
        let mut state = self.lock();
        let task_id = TaskId(state.next_task);
        state.next_task += 1;
        self.put(&mut state, ask(task_id)).then_some(task_id)
    }

    /// False if nothing is taken any more.
    fn put(&self, state: &mut State, asked: Asked) -> bool {
        if state.closed {
            return false;
        }
        let first = state.asked.is_empty();
        state.asked.push_back(asked);
        if first {
            self.filled.notify_one();
        }
        true
    }

    /// Driver: waits until something was asked for. Cancel-safe.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Driver: takes all of it, in exchange for an empty queue.
    pub(super) fn take(&self, empty: &mut VecDeque<Asked>) {
        std::mem::swap(&mut self.lock().asked, empty);
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
