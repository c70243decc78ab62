//! Panics of tasks on their way to the parent: the names of their call stacks are looked up first, beside everything
//! else. That takes its time, once in a process the better part of a second, and is no part of a task.
//!
//! One at a time, and no more wait than the bee has tasks. A task that is cancelled meanwhile, by its deadline say, is
//! told without a call stack, and so is every one while there is no thread to be had for the look.

use std::{collections::VecDeque, future::pending, thread};

use mt_pool::worker::Panic;
use mt_proto::{Failure, TaskId};
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(super) struct PanicQueue {
    waiting: VecDeque<(TaskId, Panic)>,
    looked_up: Option<LookedUp>,
}

#[derive(Debug)]
struct LookedUp {
    task_id: TaskId,
    /// The same without a call stack.
    brief: Failure,
    whole: oneshot::Receiver<Failure>,
}

impl PanicQueue {
    pub(super) fn push(&mut self, task_id: TaskId, panic: Panic) {
        self.waiting.push_back((task_id, panic));
        self.look_up();
    }

    fn look_up(&mut self) {
        if self.looked_up.is_some() {
            return;
        }
        self.looked_up = self.waiting.pop_front().map(|(task_id, panic)| {
            let (brief, (tell, whole)) = (panic.brief(), oneshot::channel());
            // Without a thread nothing is told, and what is known has to do.
            let _ = thread::Builder::new()
                .name("mt-panic".into())
                .spawn(move || tell.send(panic.into()));
            LookedUp {
                task_id,
                brief,
                whole,
            }
        });
    }

    /// Waits for the next panic that is known in full; for ever if there is none. Cancel-safe.
    pub(super) async fn next(&mut self) -> (TaskId, Failure) {
        let Some(LookedUp { whole, .. }) = &mut self.looked_up else {
            return pending().await;
        };
        let whole = whole.await;
        let Some(LookedUp { task_id, brief, .. }) = self.looked_up.take() else {
            return pending().await;
        };
        self.look_up();
        (task_id, whole.unwrap_or(brief))
    }

    /// What is known of this task's panic, if it has panicked and nobody was told yet.
    pub(super) fn give_up(&mut self, task_id: TaskId) -> Option<Failure> {
        if let Some(now) = self.looked_up.take_if(|now| now.task_id == task_id) {
            // What looks goes on by itself, to no end.
            self.look_up();
            return Some(now.brief);
        }
        let at = self
            .waiting
            .iter()
            .position(|(waits, _)| *waits == task_id)?;
        self.waiting.remove(at).map(|(_, panic)| panic.brief())
    }
}

#[cfg(test)]
mod tests {
    use mt_pool::worker::caught;

    use super::*;

    fn panic(text: &'static str) -> Panic {
        let caught = caught(|| std::panic::resume_unwind(Box::new(text)));
        caught.expect_err("it panics")
    }

    fn says(failure: &Failure, text: &str) -> bool {
        matches!(failure, Failure::Panicked { message, .. } if message == text)
    }

    /// Case G9: A panic whose call stack is being looked up is told at once when its task's time is over.
    #[tokio::test]
    async fn each_is_told_once_in_full_or_at_once() {
        let mut queue = PanicQueue::default();
        for (id, text) in [(1, "one"), (2, "two"), (3, "three")] {
            queue.push(TaskId(id), panic(text));
        }
        assert!(
            queue
                .give_up(TaskId(1))
                .is_some_and(|failure| says(&failure, "one"))
        );
        assert!(
            queue
                .give_up(TaskId(3))
                .is_some_and(|failure| says(&failure, "three"))
        );
        assert!(queue.give_up(TaskId(3)).is_none());
        let (task_id, failure) = queue.next().await;
        assert!(task_id == TaskId(2) && says(&failure, "two"));
        assert!(queue.give_up(TaskId(2)).is_none());
        let none = tokio::time::timeout(std::time::Duration::ZERO, queue.next());
        assert!(none.await.is_err());
    }
}
