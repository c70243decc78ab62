//! What a bee's session has for the thread that does her tasks, until that takes it: what is not taken can be taken
//! back.
//!
//! A task is begun when it is taken, and is taken right before it is polled for the first time. So what is here was
//! not begun, and what was taken out by the session never is: one lock decides.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mt_proto::{TaskId, TaskInfo};
use tokio::sync::Notify;

use super::messages::Order;

/// The tasks that may wait here: more than a hive has outstanding at once.
const MAX_WAITING: usize = 1 << 17;

/// Orders that were not taken.
#[derive(Debug, Default)]
pub(crate) struct OrderQueue {
    state: Mutex<Untaken>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Untaken {
    /// Each with its place among all tasks that the bee was given.
    tasks: VecDeque<(u64, TaskInfo)>,
    /// Other orders: at most one for each task that was taken, and two more.
    others: VecDeque<Order>,
    /// The tasks that the bee was given so far.
    given: u64,
    /// The session waits to hear that no task waits.
    is_watched: bool,
    is_closed: bool,
}

/// What there is to do next.
#[derive(Debug)]
pub(super) enum Next {
    Do(Order),
    /// Tells the session that no task waits but the one, if any, that is taken next.
    CaughtUp,
    /// Nothing for now.
    Nothing,
    /// Nothing ever again.
    Closed,
}

impl OrderQueue {
    /// Session: a task waits from now on. False if there is no room for it.
    pub(super) fn give(&self, task: TaskInfo) -> bool {
        let mut state = self.lock();
        if state.tasks.len() >= MAX_WAITING {
            return false;
        }
        let place = state.given;
        state.given += 1;
        state.tasks.push_back((place, task));
        let first = state.tasks.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        true
    }

    /// Session: a task was given that needs no thread.
    pub(super) fn pass_by(&self) {
        self.lock().given += 1;
    }

    /// Session: a task is to stop. True if it was not begun, and never will be.
    pub(super) fn cancel(&self, task_id: TaskId) -> bool {
        let mut state = self.lock();
        // The last that came is the likeliest.
        let at = state
            .tasks
            .iter()
            .rposition(|(_, task)| task.task_id == task_id);
        if let Some(at) = at {
            state.tasks.remove(at);
            return true;
        }
        state.others.push_back(Order::Cancel(task_id));
        drop(state);
        self.filled.notify_one();
        false
    }

    /// Session: takes back up to so many tasks, the last ones. Returns them, and how many still wait.
    pub(super) fn take_back(&self, most: u32) -> (Vec<TaskId>, u32) {
        let mut state = self.lock();
        let kept = state.tasks.len().saturating_sub(most as usize);
        let back = state.tasks.split_off(kept);
        let back = back.into_iter().map(|(_, task)| task.task_id).collect();
        (back, count(kept))
    }

    /// Session: the bee's own bees are to die.
    pub(super) fn bury(&self) {
        self.lock().others.push_back(Order::Bury);
        self.filled.notify_one();
    }

    /// Session: nothing more comes.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// Session: the places of the task that waits longest and of the last one that was given, if one waits.
    pub(super) fn waiting(&self) -> Option<(u64, u64)> {
        let state = self.lock();
        let (oldest, _) = state.tasks.front()?;
        Some((*oldest, state.given - 1))
    }

    /// Session: wants to hear when none waits any more. Returns how many do; 0, and nothing will be heard.
    pub(super) fn watch(&self) -> u32 {
        let mut state = self.lock();
        let waiting = count(state.tasks.len());
        state.is_watched |= waiting > 0;
        waiting
    }

    /// Session: whether a later question is open than the one that the thread has answered: then tasks wait again, and
    /// what counts is the answer to that.
    pub(super) fn is_watched(&self) -> bool {
        self.lock().is_watched
    }

    /// Bee's thread: waits until there may be something. Cancel-safe.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Bee's thread: takes what is to be done next. A task is begun with that.
    pub(super) fn take(&self) -> Next {
        let mut state = self.lock();
        if let Some(order) = state.others.pop_front() {
            return Next::Do(order);
        }
        // Before the last one: that may hold the thread for long, and then nothing waits and nobody would hear of it.
        if state.is_watched && state.tasks.len() <= 1 {
            state.is_watched = false;
            return Next::CaughtUp;
        }
        match state.tasks.pop_front() {
            Some((place, task)) => Next::Do(Order::Start(place, task)),
            None if state.is_closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, Untaken> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(tasks: usize) -> u32 {
    u32::try_from(tasks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use mt_proto::Round;

    use super::*;

    fn info(task: u64) -> TaskInfo {
        TaskInfo {
            task_id: TaskId(task),
            round: Round(1),
            name: "work".into(),
            args: bytes::Bytes::new(),
            deadline: None,
            attempt: 1,
        }
    }

    fn with_tasks(count: u64) -> OrderQueue {
        let queue = OrderQueue::default();
        for task in 0..count {
            assert!(queue.give(info(task)));
        }
        queue
    }

    /// The place and the id of the next task.
    fn begun(queue: &OrderQueue) -> Option<(u64, u64)> {
        match queue.take() {
            Next::Do(Order::Start(place, task)) => Some((place, task.task_id.0)),
            _ => None,
        }
    }

    #[test]
    fn what_is_taken_back_is_never_begun_and_places_stay_what_they_were() {
        let queue = with_tasks(5);
        assert_eq!(begun(&queue), Some((0, 0)));
        assert_eq!(queue.take_back(2), (vec![TaskId(3), TaskId(4)], 2));
        queue.pass_by();
        assert!(queue.give(info(9)));
        assert_eq!(begun(&queue), Some((1, 1)));
        assert_eq!(begun(&queue), Some((2, 2)));
        assert_eq!(begun(&queue), Some((6, 9)));
        assert_eq!(begun(&queue), None);
        assert_eq!(queue.take_back(7), (vec![], 0));
    }

    #[test]
    fn what_is_cancelled_before_it_is_begun_never_is() {
        let queue = with_tasks(3);
        assert!(queue.cancel(TaskId(1)));
        assert_eq!(begun(&queue), Some((0, 0)));
        assert!(!queue.cancel(TaskId(0)), "it runs");
        let next = queue.take();
        assert!(matches!(next, Next::Do(Order::Cancel(TaskId(0)))), "first");
        assert_eq!(begun(&queue), Some((2, 2)));
    }

    #[test]
    fn whoever_watches_hears_once_that_none_waits() {
        let queue = with_tasks(2);
        assert_eq!(queue.waiting(), Some((0, 1)));
        assert_eq!(queue.watch(), 2);
        assert_eq!(begun(&queue), Some((0, 0)));
        let next = queue.take();
        assert!(matches!(next, Next::CaughtUp), "the last may take long");
        assert_eq!(begun(&queue), Some((1, 1)));
        assert!(matches!(queue.take(), Next::Nothing));
        assert_eq!((queue.watch(), queue.waiting()), (0, None));
        queue.close();
        assert!(matches!(queue.take(), Next::Closed));
    }

    /// The answer is on its way to the session, which asks again before it has taken that.
    #[test]
    fn an_answer_is_void_once_it_was_asked_again() {
        let queue = with_tasks(1);
        assert_eq!(queue.watch(), 1);
        assert!(matches!(queue.take(), Next::CaughtUp));
        assert!(!queue.is_watched(), "the answer counts");
        assert_eq!(begun(&queue), Some((0, 0)));
        assert!(queue.give(info(1)));
        assert_eq!(queue.watch(), 1);
        assert!(queue.is_watched(), "the answer to the first does not");
    }
}
