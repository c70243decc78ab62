//! Counting the workers of a run, and killing them.

use std::sync::MutexGuard;

use crate::prelude::*;

/// The workers of a run, as it tells of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) living: BTreeSet<u32>,
    /// At once.
    pub(crate) most: usize,
    pub(crate) started: usize,
    pub(crate) ready: usize,
}

impl Census {
    pub(crate) fn watch<T: Task>(&self, run: AsynPmap<T>) -> AsynPmap<T> {
        let heard = self.clone();
        run.observe(move |event| heard.hear(event))
    }

    fn hear(&self, event: &PoolEvent) {
        let mut counts = self.counts();
        match event {
            PoolEvent::WorkerStarted { pid, .. } => {
                counts.started += 1;
                counts.living.insert(*pid);
                counts.most = counts.most.max(counts.living.len());
            }
            PoolEvent::WorkerReady { .. } => counts.ready += 1,
            PoolEvent::WorkerDied { pid, .. } | PoolEvent::WorkerLeft { pid, .. } => {
                counts.living.remove(pid);
            }
            _ => {}
        }
    }

    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap()
    }

    pub(crate) fn kill_all(&self) {
        // Under the lock: what is in the set is not reaped, so the number is not somebody else's.
        for &pid in &self.counts().living {
            signal(pid, Signal::KILL);
        }
    }
}
