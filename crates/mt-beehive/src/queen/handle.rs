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
use serde::Serialize;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use super::{
    census::{Asking, BeeStatus},
    delegate::{Delegate, Reply, Waits},
};
use crate::{
    WorkerBee,
    hive::parent::{HiveStats, Request},
};

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

    /// Delegates the task `name` to a worker bee, for a name that is only known when the program runs; otherwise
    /// the method of that name is safer. `args` is what the task takes: nothing as `()`, its argument, or a tuple
    /// of several. Nothing happens until it is awaited; then it ends with how the task ended, and who did it.
    ///
    /// Dropping what is awaited cancels the task.
    ///
    /// Values cross without their types. `args`, and `R`, have to be of the types that the task has, or what is
    /// encoded like them: `&str` for `String`, `&[T]` for `Vec<T>`. What has another shape mostly raises; but
    /// bytes that happen to be a value of the other type are taken for it, and `3`, an `i32`, is read as 6 by a
    /// task that takes a `u64`. So write `3_u64`.
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, Population, hive_of};
    /// # #[derive(Default)]
    /// # struct Echo;
    /// # #[mt_beehive::worker]
    /// # impl Echo {
    /// #     #[task]
    /// #     async fn repeat(&self, text: String, times: u64) -> String {
    /// #         text.repeat(times as usize)
    /// #     }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> Result<(), BeehiveError> {
    /// # hive_of::<Echo>(()).population(Population::Fixed(1)).run(async |hive| {
    /// let task = std::env::args().nth(1).unwrap_or("repeat".into());
    /// let (result, _bee) = hive.delegate::<String>(task, ("ab", 2_u64)).await;
    /// assert_eq!(result.ok().unwrap(), "abab");
    /// # }).await
    /// # }
    /// ```
    pub fn delegate<R: Wire>(&self, name: impl Into<String>, args: impl Serialize) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.desk), Cow::Owned(name.into()), &args)
    }

    /// The same for a name known when the program was compiled. For the macros.
    #[doc(hidden)]
    pub fn __delegate<R: Wire>(&self, name: &'static str, args: impl Serialize) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.desk), Cow::Borrowed(name), &args)
    }

    /// How busy a worker bee is: 0 is free, 1 is full; 0 without a limit. One of them answers.
    pub fn busy_status(&self) -> Delegate<f64> {
        self.__delegate("busy_status", ())
    }

    /// One worker bee more than there are to be, at once and until one is [buried](Self::bury). It is done
    /// whether or not what is returned is awaited; that ends with her id when her process is being started,
    /// under the [`restart_budget`](crate::BeehiveRun::restart_budget); with `None` when the hive is interrupted.
    /// [`bees`](Self::bees) tells her process's
    /// id.
    ///
    /// The seed's `subprocess_workerbee` returns her process and her two queues; here the hive keeps those.
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, Population, hive_of};
    /// # #[derive(Default)]
    /// # struct Worker;
    /// # #[mt_beehive::worker]
    /// # impl Worker {
    /// #     #[task]
    /// #     async fn work(&self) {}
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> Result<(), BeehiveError> {
    /// hive_of::<Worker>(()).population(Population::Fixed(0)).run(async |hive| {
    ///     let bee = hive.spawn().await;
    ///     assert_eq!(bee, Some(0));
    ///     let (_, by) = hive.work().await;
    ///     assert_eq!(by, bee);
    ///     assert_eq!(hive.bury(bee).await, bee); // her process is gone now
    ///     assert_eq!(hive.bees().await, []);
    /// }).await
    /// # }
    /// ```
    #[doc(alias = "subprocess_workerbee")]
    pub fn spawn(&self) -> Asking {
        let (told, asked) = Asking::new();
        self.desk.tell(Asked::Spawn(told));
        asked
    }

    /// One worker bee less: this one, or the one with the least to do. She finishes what she has, and goes. It is
    /// done whether or not what is returned is awaited; that ends with her id when her process is reaped, and
    /// with `None` at once if there is no such bee, or she is dying anyway.
    pub fn bury(&self, child: Option<u32>) -> Asking {
        let (told, asked) = Asking::new();
        self.desk.tell(Asked::Bury(child, told));
        asked
    }

    /// The worker bees there are at this moment, oldest first; none when the hive is dead. Asks the hive and not
    /// the bees, so it does not wait for any of them.
    pub async fn bees(&self) -> Vec<BeeStatus> {
        let (told, asked) = oneshot::channel();
        self.desk.tell(Asked::Bees(told));
        asked.await.unwrap_or_default()
    }

    /// What the hive has done so far. It can still be asked when the hive is dead, by a clone that was kept: it
    /// is then what it has done in its life.
    pub async fn stats(&self) -> HiveStats {
        let (told, asked) = oneshot::channel();
        self.desk.tell(Asked::Stats(told));
        asked.await.unwrap_or_else(|_| self.desk.last_stats())
    }
}

impl<W: WorkerBee> Hive<W> {
    /// Waits until Ctrl-C has interrupted the hive; for ever if that does not happen. For a queen who would
    /// go on for ever herself, or has something to say to who waits. What it means for tasks is said at
    /// [`on_interrupt`](crate::BeehiveRun::on_interrupt). Cancel-safe.
    pub async fn interrupted(&self) {
        let mut interrupted = self.desk.interrupted.subscribe();
        let told = interrupted.wait_for(|&interrupted| interrupted).await;
        told.expect("its sender is borrowed here");
    }
}

/// What is asked of the driver.
#[derive(Debug)]
pub(super) enum Asked {
    /// A task, and where its answer goes.
    Task(TaskId, Request, Reply),
    /// Nobody waits for that task any more.
    Drop(TaskId),
    /// A bee; who it is.
    Spawn(oneshot::Sender<Option<u32>>),
    /// That a bee goes; who is gone.
    Bury(Option<u32>, oneshot::Sender<Option<u32>>),
    /// What the bees are doing.
    Bees(oneshot::Sender<Vec<BeeStatus>>),
    /// What was done so far.
    Stats(oneshot::Sender<HiveStats>),
}

/// Where what is asked for waits. Bounded by the tasks that may be outstanding: each asks twice at most; and
/// by how often the queen asks for bees, or about them.
#[derive(Debug)]
pub(super) struct Desk {
    asked: Mutex<State>,
    filled: Notify,
    places: Arc<Semaphore>,
    interrupted: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    asked: VecDeque<Asked>,
    next_task: u64,
    takes: Takes,
    /// As of when it was closed for good.
    stats: HiveStats,
}

/// What is taken for the driver.
#[derive(Debug, Default, PartialEq, Eq)]
enum Takes {
    #[default]
    All,
    /// The hive is dying: only that nobody waits for a task any more.
    Drops,
    Nothing,
}

impl Desk {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::default(),
            filled: Notify::new(),
            places: Arc::new(Semaphore::new(MAX_OUTSTANDING)),
            interrupted: watch::Sender::new(false),
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
            _place: place,
        };
        let task_id = self.tell_in_turn(|task_id| Asked::Task(task_id, request, reply))?;
        Some((Waits::new(Arc::clone(self), task_id), answer))
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
        let is_taken = match state.takes {
            Takes::All => true,
            Takes::Drops => matches!(asked, Asked::Drop(_)),
            Takes::Nothing => false,
        };
        if !is_taken {
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

    /// Driver: nothing new is taken any more.
    pub(super) fn end(&self) {
        self.lock().takes = Takes::Drops;
        self.places.close();
    }

    /// Driver: nothing is taken any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.takes = Takes::Nothing;
        state.asked.clear();
        drop(state);
        self.places.close();
    }

    /// Driver: nothing is begun any more.
    pub(super) fn interrupt(&self) {
        self.interrupted.send_replace(true);
    }

    /// Driver: this was done so far.
    pub(super) fn leave_stats(&self, stats: HiveStats) {
        self.lock().stats = stats;
    }

    fn last_stats(&self) -> HiveStats {
        self.lock().stats
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    #[test]
    fn what_is_dropped_keeps_its_place_until_the_driver_has_heard_of_it() {
        let desk = Desk::new();
        let mut now = Context::from_waker(Waker::noop());
        for _ in 0..MAX_OUTSTANDING + 100 {
            let request = Request {
                name: "task".into(),
                args: Bytes::new(),
                limit: None,
            };
            let _ = pin!(desk.ask(request, None)).poll(&mut now);
        }
        assert_eq!(desk.lock().asked.len(), 2 * MAX_OUTSTANDING);
        desk.take(&mut VecDeque::new());
        assert_eq!(desk.places.available_permits(), MAX_OUTSTANDING);
    }
}
