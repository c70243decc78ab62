//! A run that goes on, as whoever takes its outcomes has it.

use std::sync::Arc;

use super::RunHandle;
use crate::{Pool, driver::Collected, input::ConsumerEnd, supervision::END_WAIT};

/// A run that ends when this is dropped: its workers are killed, and gone when the drop returns, unless that is inside
/// a task of a runtime.
#[derive(Debug)]
pub(crate) struct LiveRun {
    pub(crate) handle: RunHandle,
    pub(crate) consumer: ConsumerEnd,
    pub(crate) fail_fast: bool,
    pub(super) seed: u64,
    pub(super) collected: Arc<Collected>,
    #[expect(dead_code, reason = "kept as long as the run uses its workers")]
    pub(super) pool: Option<Pool>,
}

impl LiveRun {
    /// Whether every outcome has come and every worker is gone.
    pub(crate) fn is_complete(&self) -> bool {
        self.handle.stats.is_complete()
    }

    /// No outcome follows. An end that is none must not look like one.
    pub(crate) fn assert_complete(&self) {
        assert!(
            self.is_complete(),
            "bug in mt-pool: the supervisor of this run has panicked"
        );
    }

    /// Ends the run, and waits until its workers are gone.
    pub(crate) fn end(&self) {
        self.consumer.cancel();
        let _ = self.handle.end.wait(END_WAIT);
    }

    /// Ends the run, and waits until its workers are gone, however long that takes, without blocking.
    pub(super) async fn end_and_wait(&self) {
        self.consumer.cancel();
        self.handle.end.over().await;
    }
}

impl Drop for LiveRun {
    fn drop(&mut self) {
        self.handle.stats.set_over();
        self.consumer.cancel();
        self.handle.end.wait_on_drop(END_WAIT);
    }
}
