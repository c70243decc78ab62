//! What the exit hooks of workers returned.

use std::sync::Mutex;

use crate::lock::lock;
use bytes::Bytes;

/// The values kept; those of later workers are counted and dropped.
const MAX_VALUES: usize = 4096;

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
    pub(super) fn keep(&self, value: Bytes) {
        let mut values = lock(&self.values);
        if values.kept.len() < MAX_VALUES {
            values.kept.push(value);
        } else {
            values.dropped += 1;
        }
    }

    /// The values that wait to be taken, encoded, and how many there was no room for.
    pub(crate) fn take(&self) -> (Vec<Bytes>, u64) {
        let mut values = lock(&self.values);
        (std::mem::take(&mut values.kept), values.dropped)
    }
}
