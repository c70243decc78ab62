//! A run that goes on, in a buffer of frames: where it begins, and what of its header is not known yet.

use crate::{HEADER_BYTES, ItemIndex, Kind};

/// The bytes of a run's own header.
pub(crate) const RUN_HEADER: usize = 12;

/// The body size at which a run is closed and the next is opened.
pub(super) const RUN_BYTES: usize = 64 * 1024;

/// The bytes of a run before its first record.
pub(super) const RUN_START: usize = HEADER_BYTES + RUN_HEADER;

/// The last run of a buffer, to which more can be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenRun {
    pub(super) start: usize,
    /// The item that would continue it.
    pub(super) next: ItemIndex,
    pub(super) count: u32,
}

impl OpenRun {
    /// Whether item `index` continues the run, whose buffer is `len` bytes long.
    #[inline]
    pub(super) fn takes(self, index: ItemIndex, len: usize) -> bool {
        self.next == index && len - self.start < RUN_BYTES
    }

    /// The run with another one behind it, if that continues it; its buffer was `len` bytes long without.
    pub(super) fn and(self, more: Self, len: usize) -> Option<Self> {
        let first = more.next.0 - u64::from(more.count);
        self.takes(ItemIndex(first), len).then_some(Self {
            next: more.next,
            count: self.count + more.count,
            ..self
        })
    }

    /// The run in a buffer where `before` bytes were put before it.
    pub(super) fn moved(self, before: usize) -> Self {
        Self {
            start: before + self.start,
            ..self
        }
    }

    /// Writes the run's header. It ends where the buffer does.
    pub(super) fn fill_in(self, bytes: &mut [u8]) {
        let first = self.next.0 - u64::from(self.count);
        let body = self.start + HEADER_BYTES;
        let length = (bytes.len() - body) as u32;
        bytes[self.start..self.start + 4].copy_from_slice(&length.to_le_bytes());
        bytes[self.start + 4] = Kind::Results as u8;
        bytes[body..body + 8].copy_from_slice(&first.to_le_bytes());
        bytes[body + 8..body + 12].copy_from_slice(&self.count.to_le_bytes());
    }
}
