//! Messages on their way into the queue.

use std::collections::VecDeque;

use mt_proto::dispose;

use crate::{
    Task, TaskError,
    works::progress::{Progress, ProgressSender},
};

type Message<T> = Progress<<T as Task>::Output, TaskError<<T as Task>::Error>>;

/// Keeps messages until there is room for them. Whoever adds sees to it that they are not too many: no
/// work is started while there are any, so they are at most a turn's and one for every work that runs.
pub(super) struct Teller<T: Task> {
    progress: ProgressSender<T::Output, TaskError<T::Error>>,
    untold: VecDeque<Message<T>>,
    unwatched: bool,
}

impl<T: Task> Teller<T> {
    pub(super) fn new(progress: ProgressSender<T::Output, TaskError<T::Error>>) -> Self {
        Self {
            progress,
            untold: VecDeque::new(),
            unwatched: false,
        }
    }

    /// Adds a message, unless nobody watches.
    pub(super) fn add(&mut self, message: Message<T>) {
        if !self.unwatched {
            self.untold.push_back(message);
        }
    }

    pub(super) fn has_told_all(&self) -> bool {
        self.untold.is_empty()
    }

    pub(super) fn is_unwatched(&self) -> bool {
        self.unwatched
    }

    /// Tells the oldest message as soon as there is room. Cancel-safe.
    pub(super) async fn tell_one(&mut self) {
        match self.progress.room().await {
            Some(room) => {
                if let Some(message) = self.untold.pop_front() {
                    room.send(message);
                }
            }
            None => {
                self.unwatched = true;
                // One by one: of two values that panic when they are dropped together, the second would end the process.
                self.untold.drain(..).for_each(dispose);
            }
        }
    }

    pub(super) async fn tell_all(&mut self) {
        while !self.has_told_all() {
            self.tell_one().await;
        }
    }
}
