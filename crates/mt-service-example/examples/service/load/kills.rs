//! Kills workers of the service, one after the other, while others ask.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use mt_test_kit::{Dice, Signal, children_of, signal};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

const REST: Duration = Duration::from_millis(100);

pub(crate) struct Kills {
    stop: oneshot::Sender<()>,
    killing: JoinHandle<u64>,
}

impl Kills {
    /// Kills a worker at random every now and then, if the service has rendered a page since the last time: on a machine that
    /// is busy with other things it may not have started a worker since.
    pub(crate) fn start(service: u32, pages: Arc<AtomicU64>) -> Self {
        let (stop, mut is_stopped) = oneshot::channel();
        let killing = tokio::spawn(async move {
            let (mut kills, mut seen, mut dice) = (0, 0, Dice::seeded(7));
            while timeout(REST, &mut is_stopped).await.is_err() {
                let now = pages.load(Relaxed);
                if let Some(worker) = dice.pick(&children_of(service)).filter(|_| now > seen) {
                    signal(worker, Signal::KILL);
                    (kills, seen) = (kills + 1, now);
                }
            }
            kills
        });
        Self { stop, killing }
    }

    /// Returns how many were killed.
    pub(crate) async fn stop(self) -> Result<u64> {
        drop(self.stop);
        Ok(self.killing.await?)
    }
}
