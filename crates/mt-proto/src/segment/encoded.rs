//! Frames that are encoded already, and what crosses beside some of them.

use std::mem;

use bytes::Bytes;

use super::run::OpenRun;
use crate::Attachments;

/// What belongs to the frame that begins there.
#[derive(Debug, Clone)]
pub(crate) struct AttachedFrame {
    pub(crate) start: usize,
    pub(crate) attachments: Attachments,
}

/// Complete [`Kind::Results`](crate::Kind::Results) frames one after the other, for
/// [`Outgoing::encoded`](crate::Outgoing::encoded).
#[derive(Debug, Clone, Default)]
pub struct EncodedFrames<B = Bytes> {
    pub(crate) bytes: B,
    /// In their order.
    pub(crate) attached: Vec<AttachedFrame>,
    /// The last frame, if more can be added to it.
    pub(super) last: Option<OpenRun>,
}

impl<B: AsRef<[u8]>> EncodedFrames<B> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.as_ref().is_empty()
    }

    /// What they count for where waiting is bounded by bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        weight(self.bytes.as_ref(), &self.attached)
    }
}

impl EncodedFrames {
    /// The bytes alone. A body of any length stands behind one header.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl EncodedFrames<Vec<u8>> {
    /// Takes all of them out, and leaves room for as many bytes as are likely to follow: as many as these have, and
    /// `most` at most.
    #[must_use]
    pub fn take(&mut self, most: usize) -> EncodedFrames {
        let next = Vec::with_capacity(self.bytes.len().min(most));
        EncodedFrames {
            bytes: mem::replace(&mut self.bytes, next).into(),
            attached: mem::take(&mut self.attached),
            last: self.last.take(),
        }
    }
}

impl From<Bytes> for EncodedFrames {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }
}

/// What frames count for where waiting is bounded by bytes.
#[inline]
pub(crate) fn weight(bytes: &[u8], attached: &[AttachedFrame]) -> usize {
    let attached = attached.iter().map(|frame| frame.attachments.weight());
    attached.fold(bytes.len(), usize::saturating_add)
}
