//! What a call has written to its process's standard output, on its way beside the call's outcome.

use std::{borrow::Cow, fmt};

use bytes::Bytes;

use crate::{
    DecodeError,
    encode::{encode_into, take_from_bytes},
};

/// What a call has written to the standard output of its worker process, as far as that was captured: the end of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CapturedStdout {
    kept: Bytes,
    cut_bytes: u64,
}

impl CapturedStdout {
    /// The most bytes of a call that are kept, which are its last: 64 KiB.
    pub const KEPT_BYTES: usize = 64 * 1024;

    /// The end of what was written, after so many bytes that are not kept.
    #[must_use]
    pub fn new(kept: Bytes, cut_bytes: u64) -> Self {
        Self { kept, cut_bytes }
    }

    /// The last bytes, at most [`KEPT_BYTES`](Self::KEPT_BYTES), as they were written. They need not be text, and the
    /// first line is cut where [`cut_bytes`](Self::cut_bytes) is not 0.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.kept
    }

    /// The same as text: what is no UTF-8 is replaced by `U+FFFD`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.kept)
    }

    /// The bytes that were written before these, and are not kept.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Whether nothing was written, or nothing is known of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(crate) fn push(&self, bytes: &mut Vec<u8>) {
        let length = self.kept.len() as u64;
        encode_into(bytes, &(self.cut_bytes, length), usize::MAX).expect("numbers always encode");
        bytes.extend_from_slice(&self.kept);
    }

    /// What is at the front of some bytes, and the rest of them.
    pub(crate) fn take_from(bytes: &[u8]) -> Result<(u64, &[u8], &[u8]), DecodeError> {
        let ((cut_bytes, length), rest): ((u64, u64), &[u8]) = take_from_bytes(bytes)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > Self::KEPT_BYTES {
            return Err(DecodeError::Malformed("captured output is too long"));
        }
        let (kept, rest) = rest
            .split_at_checked(length)
            .ok_or(DecodeError::Short("captured output is cut"))?;
        Ok((cut_bytes, kept, rest))
    }
}

impl fmt::Debug for CapturedStdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedStdout")
            .field("text", &self.text())
            .field("cut_bytes", &self.cut_bytes)
            .finish()
    }
}
