//! How long items and results may be, and how much of them is kept.

use mt_proto::MAX_RECORD_BYTES;

use super::check::in_range;
use crate::{error::StartError, setters::setters};

/// How many bytes encoded items and results may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it is given to a run by `byte_limits`"]
pub struct ByteLimits {
    pub(crate) buffer: usize,
    pub(crate) max_item: usize,
    pub(crate) max_result: usize,
}

impl Default for ByteLimits {
    fn default() -> Self {
        Self {
            buffer: 64 * 1024 * 1024,
            max_item: MAX_RECORD_BYTES,
            max_result: MAX_RECORD_BYTES,
        }
    }
}

impl ByteLimits {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The bytes of encoded items the parent keeps, as many again of results that wait for earlier ones, and as
        /// many again of results that wait to be taken out, at least 1. Default 64 MiB. Input is not pulled beyond it.
        /// When that much waits for an earlier item, only that one is done until it has its outcome; when that much
        /// waits for the consumer, nothing is. Calls that run already still end, and their results come: at most one a
        /// worker, or [`max_concurrency`](crate::AsynPmap::max_concurrency) where calls are asynchronous. A single
        /// longer item or result is let through alone. A [`Blob`](crate::Blob) counts like other bytes, at least as
        /// 512 KiB, and once while several items have the same one.
        pub fn buffer_bytes(self, bytes: usize) => self.buffer = bytes;

        /// The most bytes of one encoded item, 1 to 2^30 - 1 (default). A longer one gets
        /// [`TooLarge`](crate::TaskErrorKind::TooLarge) as its outcome. [`Blob`](crate::Blob)s count too where less than
        /// the default is set; with that they may have any length.
        pub fn max_item_bytes(self, bytes: usize) => self.max_item = bytes;

        /// The most bytes of one encoded result, 1 to 2^30 - 1 (default). A longer one gets
        /// [`TooLarge`](crate::TaskErrorKind::TooLarge) as its outcome. [`Blob`](crate::Blob)s count as in items.
        pub fn max_result_bytes(self, bytes: usize) => self.max_result = bytes;
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        let most = MAX_RECORD_BYTES;
        in_range("byte_limits.buffer_bytes", self.buffer, usize::MAX)?;
        in_range("byte_limits.max_item_bytes", self.max_item, most)?;
        in_range("byte_limits.max_result_bytes", self.max_result, most)
    }
}
