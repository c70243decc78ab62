//! Counting the workers of a run.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use mt_pool::{AsynPmap, PoolEvent, Task};

use mt_test_kit::wait_until;

/// How many workers there are, as the run tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) most: Arc<AtomicI64>,
    pub(crate) started: Arc<AtomicI64>,
    pub(crate) ready: Arc<AtomicI64>,
}

impl Census {
    pub(crate) fn of<T: Task>(run: AsynPmap<T>) -> (AsynPmap<T>, Self) {
        let count = Self::default();
        let heard = count.clone();
        (run.observe(move |event| heard.hear(event)), count)
    }

    fn hear(&self, event: &PoolEvent) {
        match event {
            PoolEvent::WorkerStarted { .. } => {
                self.started.fetch_add(1, Ordering::SeqCst);
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
            }
            PoolEvent::WorkerReady { .. } => {
                self.ready.fetch_add(1, Ordering::SeqCst);
            }
            PoolEvent::WorkerDied { .. } | PoolEvent::WorkerLeft { .. } => {
                self.now.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }

    pub(crate) fn wait_for(&self, which: &AtomicI64, is: impl Fn(i64) -> bool) {
        wait_until(|| is(which.load(Ordering::SeqCst)));
    }
}
