//! The bounded queue that progress goes through.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Semaphore, mpsc};

use super::Progress;
use crate::wait::stream;

/// Makes a queue for [`Progress`] that holds at most `capacity` messages (0 counts as 1): the sender for
/// whoever makes progress, the receiver for whoever watches.
///
/// The receiver is a `Stream`, and an iterator by `into_iter()`. It ends when the last sender is gone
/// and all messages were taken.
#[must_use]
pub fn progress_queue<V, X>(capacity: usize) -> (ProgressSender<V, X>, ProgressReceiver<V, X>) {
    let (messages, received) = mpsc::channel(capacity.clamp(1, Semaphore::MAX_PERMITS));
    let missed = Arc::new(AtomicU64::new(0));
    let sender = ProgressSender {
        messages,
        missed: Arc::clone(&missed),
    };
    let receiver = ProgressReceiver {
        messages: received,
        missed,
    };
    (sender, receiver)
}

/// Where progress is told. Made by [`progress_queue`].
#[derive(Debug)]
pub struct ProgressSender<V = (), X = String> {
    messages: mpsc::Sender<Progress<V, X>>,
    missed: Arc<AtomicU64>,
}

impl<V, X> ProgressSender<V, X> {
    /// Waits for room for one message; `None` when the receiver is gone. Cancel-safe.
    pub(in crate::works) async fn room(&self) -> Option<mpsc::Permit<'_, Progress<V, X>>> {
        self.messages.reserve().await.ok()
    }

    /// Tells a message if there is room; counts it as missed if not. For those who can't wait.
    pub(in crate::works) fn offer(&self, message: Progress<V, X>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.messages.try_send(message) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<V, X> Clone for ProgressSender<V, X> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            missed: Arc::clone(&self.missed),
        }
    }
}

/// Progress as it is told: a `Stream`, and by `into_iter()` an iterator that blocks. Made by
/// [`progress_queue`].
#[derive(Debug)]
pub struct ProgressReceiver<V = (), X = String> {
    messages: mpsc::Receiver<Progress<V, X>>,
    missed: Arc<AtomicU64>,
}

impl<V, X> ProgressReceiver<V, X> {
    /// The next message; `None` when no more can come.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<Progress<V, X>> {
        self.messages.recv().await
    }

    /// How many messages found the queue full and were dropped. Always 0 with
    /// [`run_asyn_works_in_context`](crate::works::run_asyn_works_in_context), which waits for room.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

stream!([V, X] ProgressReceiver<V, X> => Progress<V, X>, |progress, cx| {
    progress.messages.poll_recv(cx)
});

#[cfg(test)]
mod tests {
    use super::*;

    fn about(context_id: u32) -> Progress {
        Progress::ContextCreated { context_id }
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (sender, receiver) = progress_queue(2);
        for id in 0..5 {
            sender.offer(about(id));
        }
        assert_eq!(receiver.missed(), 3);
        drop(sender);
        assert_eq!(
            receiver.into_iter().collect::<Vec<_>>(),
            [about(0), about(1)]
        );
    }

    #[test]
    fn nobody_watching_is_no_miss() {
        let (sender, receiver) = progress_queue(0);
        let missed = Arc::clone(&receiver.missed);
        drop(receiver);
        sender.offer(about(1));
        assert_eq!(missed.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it() {
        let (sender, mut receiver) = progress_queue(1);
        let tell = async {
            for id in 0..100 {
                sender.room().await.expect("it watches").send(about(id));
            }
        };
        let watch = async {
            for id in 0..100 {
                assert_eq!(receiver.next().await, Some(about(id)));
            }
        };
        futures::join!(tell, watch);
        drop(receiver);
        assert!(sender.room().await.is_none());
    }
}
