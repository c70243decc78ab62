//! One worker bee as the driver handles her process: what waits to be sent, how to end it, what is known of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mt_pool::supervision::{FrameSource, Health, WorkerControl};
use mt_proto::{Frame, HiveWriter, ToBee};
use tokio::sync::Notify;

/// A worker bee's process, for the driver.
#[derive(Debug)]
pub(crate) struct BeeHandle {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) control: WorkerControl,
    /// `None` until there is a process.
    pub(crate) pid: Option<u32>,
    pub(crate) health: Health,
}

impl BeeHandle {
    pub(crate) fn new(outbox: Arc<Outbox>, control: WorkerControl) -> Self {
        Self {
            outbox,
            control,
            pid: None,
            health: Health::Well,
        }
    }
}

/// What waits to be said to a bee: bounded by the machine's own rules, some messages a task.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: Mutex<Messages>,
    filled: Notify,
}

/// Messages in frames that the other side takes: none has too many.
#[derive(Debug, Default)]
struct Messages {
    full: VecDeque<Frame>,
    open: HiveWriter,
}

impl Messages {
    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }
}

impl Outbox {
    pub(crate) fn say(&self, message: &ToBee) {
        let mut messages = self.lock();
        let first = messages.is_empty();
        let said = messages.open.push(message, usize::MAX);
        said.expect("names and arguments were measured when the task was delegated");
        if messages.open.is_full() {
            let frame = messages.open.take();
            messages.full.push_back(frame);
        }
        drop(messages);
        if first {
            self.filled.notify_one();
        }
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameSource for Outbox {
    async fn filled(&self) {
        self.filled.notified().await;
    }

    fn take(&self) -> Option<Frame> {
        let mut messages = self.lock();
        if messages.is_empty() {
            return None;
        }
        let frame = messages.full.pop_front();
        let frame = frame.unwrap_or_else(|| messages.open.take());
        if !messages.is_empty() {
            self.filled.notify_one();
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use mt_proto::{Round, TaskId};

    use super::*;

    /// Case D23: However many messages wait, a frame holds no more than the other side takes.
    #[test]
    fn whatever_waits_comes_in_frames_that_are_taken() {
        let outbox = Outbox::default();
        let offer = |task| ToBee::NewTask {
            task_id: TaskId(task),
            round: Round(1),
        };
        for task in 0..20_000 {
            outbox.say(&offer(task));
        }
        let frames = std::iter::from_fn(|| outbox.take());
        let told: Vec<ToBee> = frames
            .flat_map(|frame| {
                let messages: Result<Vec<_>, _> = mt_proto::hive_messages(frame).collect();
                messages.expect("no more than a frame may hold")
            })
            .collect();
        assert!(told.into_iter().eq((0..20_000).map(offer)), "all, in order");
    }
}
