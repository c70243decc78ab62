//! What the exit hooks of workers returned.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mt_proto::{ExitReport, WorkerId};

use super::driver::Supervisor;
use crate::PoolEvent;

/// The values kept; those of later workers are counted and dropped.
const MAX_VALUES: usize = 4096;

/// What exit hooks have returned so far.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    values: Mutex<Values>,
}

#[derive(Debug, Default)]
struct Values {
    kept: Vec<Bytes>,
    dropped: u64,
}

impl Collected {
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, value: Bytes) {
        let mut values = self.lock();
        if values.kept.len() < MAX_VALUES {
            values.kept.push(value);
        } else {
            values.dropped += 1;
        }
    }

    /// The values that wait to be taken, encoded, and how many there was no room for.
    pub(crate) fn take(&self) -> (Vec<Bytes>, u64) {
        let mut values = self.lock();
        (std::mem::take(&mut values.kept), values.dropped)
    }
}

impl Supervisor {
    pub(super) fn on_exit_report(&mut self, worker: WorkerId, report: ExitReport) {
        match report {
            ExitReport::Returned(value) => self.collected.keep(value),
            ExitReport::Failed(message) => {
                let said = message.clone();
                self.trace(move || {
                    tracing::warn!(worker = worker.0, message = said, "the exit hook failed");
                });
                self.tell(&PoolEvent::ExitHookFailed {
                    worker: worker.0,
                    message,
                });
            }
        }
    }
}
