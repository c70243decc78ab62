//! What tasks of a queen have asked for and the driver has not taken: bounded by permits.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mt_proto::{TaskId, dispose, guarded};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::machine::parent::{BeeStatus, HiveStats, Request, TaskOutcome};

/// The tasks that may be delegated and not resolved at once. Whoever delegates more waits.
const MAX_OUTSTANDING: usize = 1 << 16;

/// How a task ended, and who did it.
type Answer = (TaskOutcome, Option<u32>);

/// What is asked of the driver.
#[derive(Debug)]
pub(crate) enum Command {
    /// A task, and where its answer goes.
    Task(TaskId, Request, Reply),
    /// Nobody waits for that task any more.
    Drop(TaskId),
    /// A bee; who it is.
    Spawn(oneshot::Sender<Option<u32>>),
    /// The end of a bee; who is gone.
    Bury(Option<u32>, oneshot::Sender<Option<u32>>),
    /// What the bees are doing.
    Bees(oneshot::Sender<Vec<BeeStatus>>),
    /// What was done so far.
    Stats(oneshot::Sender<HiveStats>),
}

/// Where what is asked for waits. Bounded by the tasks that may be outstanding: each asks twice at most; and
/// by how often the queen asks for bees, or about them.
#[derive(Debug)]
pub(crate) struct CommandQueue {
    commands: Mutex<State>,
    filled: Notify,
    permits: Arc<Semaphore>,
    pub(crate) interrupted: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    commands: VecDeque<Command>,
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
    /// The hive is dying: only that nobody waits for a task any more, and questions.
    Last,
    Nothing,
}

impl CommandQueue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            commands: Mutex::default(),
            filled: Notify::new(),
            permits: Arc::new(Semaphore::new(MAX_OUTSTANDING)),
            interrupted: watch::Sender::new(false),
        })
    }

    /// Waits for one of the places for tasks; `None` when the hive is dead. Cancel-safe.
    pub(crate) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Asks for a task; `None` when the hive is dead.
    pub(crate) fn ask(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        request: Request,
        progress: Option<watch::Sender<Bytes>>,
    ) -> Option<(Waiting, oneshot::Receiver<Answer>)> {
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            answer: sender,
            progress,
            _permit: permit,
        };
        let task_id = self.tell_in_turn(|task_id| Command::Task(task_id, request, reply))?;
        Some((Waiting::new(Arc::clone(self), task_id), answer))
    }

    /// Leaves something for the driver.
    pub(crate) fn tell(&self, command: Command) {
        let refused = self.put(&mut self.lock(), command);
        dispose(refused);
    }

    /// The same for a task, with the id that the machine will give it: they count up alike.
    fn tell_in_turn(&self, ask: impl FnOnce(TaskId) -> Command) -> Option<TaskId> {
        let mut state = self.lock();
        let task_id = TaskId(state.next_task);
        state.next_task += 1;
        let refused = self.put(&mut state, ask(task_id));
        drop(state);
        let taken = refused.is_none();
        dispose(refused);
        taken.then_some(task_id)
    }

    /// Gives it back if nothing is taken any more. To be dropped without the lock: a permit in it wakes who waits, by a
    /// waker that is user code.
    #[must_use]
    fn put(&self, state: &mut State, command: Command) -> Option<Command> {
        let is_taken = match state.takes {
            Takes::All => true,
            Takes::Last => matches!(
                command,
                Command::Drop(_) | Command::Bees(_) | Command::Stats(_)
            ),
            Takes::Nothing => false,
        };
        if !is_taken {
            return Some(command);
        }
        let first = state.commands.is_empty();
        state.commands.push_back(command);
        if first {
            self.filled.notify_one();
        }
        None
    }

    /// Driver: waits until something was asked for. Cancel-safe.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Driver: takes all of it, in exchange for an empty queue.
    pub(crate) fn take(&self, empty: &mut VecDeque<Command>) {
        std::mem::swap(&mut self.lock().commands, empty);
    }

    /// Driver: nothing new is taken any more.
    pub(crate) fn end(&self) {
        self.lock().takes = Takes::Last;
        let _ = guarded(|| self.permits.close());
    }

    /// Driver: nothing is taken any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.takes = Takes::Nothing;
        let left = std::mem::take(&mut state.commands);
        drop(state);
        // Who asked is woken, each by a waker that is user code.
        left.into_iter().for_each(dispose);
        let _ = guarded(|| self.permits.close());
    }

    /// Driver: nothing is begun any more.
    pub(crate) fn interrupt(&self) {
        let _ = guarded(|| self.interrupted.send_replace(true));
    }

    /// Driver: this was done so far.
    pub(crate) fn leave_stats(&self, stats: HiveStats) {
        self.lock().stats = stats;
    }

    pub(crate) fn last_stats(&self) -> HiveStats {
        self.lock().stats
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that is waited for. Dropped before it was answered, it is cancelled.
pub(crate) struct Waiting {
    commands: Arc<CommandQueue>,
    task_id: Option<TaskId>,
}

impl Waiting {
    pub(crate) fn new(commands: Arc<CommandQueue>, task_id: TaskId) -> Self {
        Self {
            commands,
            task_id: Some(task_id),
        }
    }

    pub(crate) fn answered(mut self) {
        self.task_id = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(task_id) = self.task_id {
            self.commands.tell(Command::Drop(task_id));
        }
    }
}

/// Where an answer comes.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: oneshot::Sender<Answer>,
    /// How far the task is, if anybody asks: the latest counts.
    pub(crate) progress: Option<watch::Sender<Bytes>>,
    /// Of the tasks that may be outstanding: until it is resolved, whether or not anybody waits for it.
    pub(crate) _permit: OwnedSemaphorePermit,
}

impl Reply {
    /// Answers, and gives the permit back to whoever waits for one. Both wake tasks of the caller's, whose wakers are
    /// user code.
    pub(crate) fn give(self, answer: Answer) {
        let Self {
            answer: waits,
            progress,
            _permit: permit,
        } = self;
        self::answer(waits, answer);
        dispose(progress);
        dispose(permit);
    }
}

/// Answers whoever has asked, by a waker that is user code.
pub(crate) fn answer<V>(waits: oneshot::Sender<V>, with: V) {
    let _ = guarded(|| waits.send(with).is_ok());
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Wake, Waker},
    };

    use super::*;

    /// Case H23: No more than 65,536 tasks are delegated and not ended: whoever delegates more waits.
    #[test]
    fn what_is_dropped_keeps_its_place_until_the_driver_has_heard_of_it() {
        let commands = CommandQueue::new();
        let mut now = Context::from_waker(Waker::noop());
        for _ in 0..MAX_OUTSTANDING + 100 {
            let request = Request {
                name: "task".into(),
                args: Bytes::new(),
                limit: None,
            };
            if let Poll::Ready(Some(permit)) = pin!(commands.permit()).poll(&mut now) {
                drop(commands.ask(permit, request, None));
            }
        }
        assert_eq!(commands.lock().commands.len(), 2 * MAX_OUTSTANDING);
        commands.take(&mut VecDeque::new());
        assert_eq!(commands.permits.available_permits(), MAX_OUTSTANDING);
    }

    /// A waker that asks the hive for something.
    struct Asks(Arc<CommandQueue>);

    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            let (reply_tx, _) = oneshot::channel();
            self.0.tell(Command::Stats(reply_tx));
        }
    }

    #[test]
    fn a_place_that_is_refused_is_given_on_without_the_lock() {
        let commands = CommandQueue::new();
        let places = Arc::clone(&commands.permits);
        let mut all = places
            .try_acquire_many_owned(MAX_OUTSTANDING as u32)
            .unwrap();
        let waker = Waker::from(Arc::new(Asks(Arc::clone(&commands))));
        let mut waits = pin!(commands.permit());
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        // The driver has said that nothing is taken, and not yet that there are no places.
        commands.lock().takes = Takes::Last;
        let permit = all.split(1).unwrap();
        let request = Request {
            name: "task".into(),
            args: Bytes::new(),
            limit: None,
        };
        assert!(commands.ask(permit, request, None).is_none());
        assert_eq!(commands.lock().commands.len(), 1, "the waker has asked");
    }
}
