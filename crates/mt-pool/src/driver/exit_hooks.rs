//! What the exit hooks of workers returned.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

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

    pub(super) fn keep(&self, value: Bytes) {
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
