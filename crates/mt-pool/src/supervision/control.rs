//! The owner's means to end a worker.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::Notify;

use super::death::DeathCause;
use crate::lock::lock;

/// Ends one worker, for a cause. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct WorkerControl(Arc<EndRequest>);

#[derive(Debug, Default)]
struct EndRequest {
    /// The first cause stands.
    cause: Mutex<Option<DeathCause>>,
    kill: Notify,
    terminate: Notify,
    /// The items its owner has given to it.
    items: AtomicU64,
    /// The owner has told it to rest.
    released: AtomicBool,
    /// Nobody needs it any more, whatever it is ended for besides.
    stopped: AtomicBool,
}

impl WorkerControl {
    /// Kills the worker with all that it has started;
    /// [`SessionEvent::Ended`](super::SessionEvent::Ended) tells when it is gone. Of several causes the first one
    /// stands. One that is dying by itself is waited for, up to the
    /// [`core_dump`](super::LivenessPolicy::core_dump), unless one of them is [`DeathCause::Stopped`].
    pub fn kill(&self, cause: DeathCause) {
        if cause == DeathCause::Stopped {
            self.0.stopped.store(true, Ordering::Release);
        }
        self.set_cause(cause);
        self.0.kill.notify_one();
    }

    /// Asks the worker to end, by `SIGTERM` on Unix, and kills it when it has not within the
    /// [`kill_grace`](super::SpawnSpec::kill_grace).
    pub fn terminate(&self, cause: DeathCause) {
        self.set_cause(cause);
        self.0.terminate.notify_one();
    }

    /// Counts items that the worker is given: they wear its process, whoever has it next.
    pub(crate) fn count_items(&self, items: u64) {
        self.0.items.fetch_add(items, Ordering::Relaxed);
    }

    pub(super) fn items(&self) -> u64 {
        self.0.items.load(Ordering::Relaxed)
    }

    /// The owner is about to tell it to rest: until then it may not say that it does.
    pub(crate) fn release(&self) {
        self.0.released.store(true, Ordering::Release);
    }

    pub(super) fn is_released(&self) -> bool {
        self.0.released.load(Ordering::Acquire)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    fn set_cause(&self, cause: DeathCause) {
        lock(&self.0.cause).get_or_insert(cause);
    }

    /// What it is ended for, if it is.
    #[must_use]
    pub fn cause(&self) -> Option<DeathCause> {
        lock(&self.0.cause).clone()
    }

    /// Whether what the worker still says is not to be believed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(*lock(&self.0.cause), Some(DeathCause::BrokeProtocol(_)))
    }

    pub(crate) async fn killed(&self) {
        self.0.kill.notified().await;
    }

    pub(super) async fn terminated(&self) {
        self.0.terminate.notified().await;
    }
}
