//! A run that goes on, as whoever takes its outcomes has it.

use std::sync::{Arc, Mutex};

use super::RunHandle;
use crate::{
    Pool,
    driver::{Collected, Supervision},
    input::ConsumerEnd,
    lock::lock,
    supervision::END_WAIT,
};

/// A run that ends when this is dropped: its workers are killed, and gone when the drop returns.
#[derive(Debug)]
pub(crate) struct LiveRun {
    pub(crate) handle: RunHandle,
    pub(crate) consumer: ConsumerEnd,
    pub(crate) fail_fast: bool,
    pub(super) seed: u64,
    pub(super) collected: Arc<Collected>,
    pub(super) supervision: Mutex<Supervision>,
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
        lock(&self.supervision).wait(END_WAIT);
    }
}

impl Drop for LiveRun {
    fn drop(&mut self) {
        self.handle.stats.set_over();
        self.end();
    }
}
