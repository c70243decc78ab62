//! The end of whatever has workers, a run, a pool or a hive: it comes once, and anybody may wait for it.

use std::{
    pin::pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use mt_proto::guarded;
use tokio::sync::Notify;

use crate::{lock::lock, wait::is_in_a_task};

#[derive(Debug, Default)]
struct EndState {
    is_over: Mutex<bool>,
    /// Threads wait here.
    over: Condvar,
    /// Futures wait here.
    over_async: Notify,
}

/// What is tied to this is over when this is dropped.
#[derive(Debug)]
pub struct EndTie(Arc<EndState>);

/// Waits for the end of what the other half is tied to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EndWatch(Arc<EndState>);

impl EndWatch {
    /// A watch of something that ends when the other half is dropped.
    #[must_use]
    pub fn tied() -> (EndTie, Self) {
        let state = Arc::new(EndState::default());
        (EndTie(Arc::clone(&state)), Self(state))
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *lock(&self.0.is_over)
    }

    /// Waits until it is over. Cancel-safe; works on any executor.
    pub async fn over(&self) {
        loop {
            let mut told = pin!(self.0.over_async.notified());
            // From here on it hears of the end, so that none is missed after the look.
            told.as_mut().enable();
            if self.is_over() {
                return;
            }
            told.await;
        }
    }

    /// Waits until it is over, at most `at_most`, and blocks the thread. True when it is.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let state = lock(&self.0.is_over);
        let waited = self
            .0
            .over
            .wait_timeout_while(state, at_most, |over| !*over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The same for a drop: inside a task of a tokio runtime, where that would hold up others, it does not wait. False
    /// when it has waited in vain.
    pub fn wait_on_drop(&self, at_most: Duration) -> bool {
        self.is_over() || is_in_a_task() || self.wait(at_most)
    }
}

impl Drop for EndTie {
    fn drop(&mut self) {
        *lock(&self.0.is_over) = true;
        self.0.over.notify_all();
        // Wakes whoever waits, by wakers that are user code.
        let _ = guarded(|| self.0.over_async.notify_waiters());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures::executor::block_on;

    use super::*;
    use crate::supervision::OwnRuntime;

    const FOR_EVER: Duration = Duration::from_secs(100_000);

    #[test]
    fn all_who_wait_are_told() {
        let (tie, watch) = EndWatch::tied();
        assert!(!watch.is_over() && !watch.wait(Duration::ZERO));
        thread::scope(|scope| {
            scope.spawn(|| assert!(watch.wait(FOR_EVER)));
            scope.spawn(|| assert!(watch.wait_on_drop(FOR_EVER)));
            scope.spawn(|| block_on(watch.over()));
            drop(tie);
        });
        block_on(watch.over());
        assert!(watch.is_over() && watch.wait(Duration::ZERO));
    }

    /// The end comes only after the wait.
    #[test]
    fn a_drop_inside_a_task_does_not_wait() {
        let runtime = OwnRuntime::new().expect("there are descriptors");
        let (tie, watch) = EndWatch::tied();
        runtime.block_on(async {
            assert!(watch.wait_on_drop(FOR_EVER) && !watch.is_over());
        });
        drop(tie);
        runtime.block_on(async {
            assert!(watch.wait_on_drop(FOR_EVER) && watch.is_over());
        });
    }
}
