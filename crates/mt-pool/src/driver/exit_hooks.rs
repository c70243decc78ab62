//! What the exit hooks of workers returned.

use std::sync::Mutex;

use bytes::Bytes;

use crate::lock::lock;

/// The values kept; those of later workers are counted and dropped.
const MAX_VALUES: usize = 4096;

/// What exit hooks returned and nobody has taken, encoded, and how many there was no room for.
#[derive(Debug, Default)]
pub(crate) struct Collected(Mutex<(Vec<Bytes>, u64)>);

impl Collected {
    pub(super) fn keep(&self, value: Bytes) {
        let (kept, dropped) = &mut *lock(&self.0);
        if kept.len() < MAX_VALUES {
            kept.push(value);
        } else {
            *dropped += 1;
        }
    }

    /// Takes the values; the dropped ones are counted from the start.
    pub(crate) fn take(&self) -> (Vec<Bytes>, u64) {
        let (kept, dropped) = &mut *lock(&self.0);
        (std::mem::take(kept), *dropped)
    }
}
