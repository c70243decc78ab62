//! Attachments that have come beside the bytes, until the frame is there that claims them.

use std::collections::VecDeque;

use crate::{Attachment, Attachments, DecodeError, MAX_ATTACHMENTS};

/// The most batches that wait: that of a frame of which not all is there, that of the next, whose first bytes have come
/// with the rest of the former, and some more of who has looked whether something came, and has not decoded it.
const MAX_WAITING: usize = 8;

/// What has come and was not claimed yet, a batch for each frame.
#[derive(Debug, Default)]
pub(super) struct Batches {
    waiting: VecDeque<Batch>,
    /// More came than may be.
    too_many: bool,
}

#[derive(Debug)]
struct Batch {
    all: Vec<Attachment>,
    /// Others of it found no room in this process.
    cut: bool,
}

impl Batches {
    pub(super) fn push(&mut self, all: Vec<Attachment>, cut: bool) {
        if self.waiting.len() == MAX_WAITING || all.len() > MAX_ATTACHMENTS {
            self.too_many = true;
            return;
        }
        self.waiting.push_back(Batch { all, cut });
    }

    /// No more came than frames can have claimed.
    #[inline]
    pub(super) fn check_few(&self) -> Result<(), DecodeError> {
        match self.too_many {
            false => Ok(()),
            true => Err(DecodeError::Attachments("more came than may be")),
        }
    }

    /// The attachments of the frame that begins, which claims so many.
    #[cold]
    pub(super) fn take(&mut self, claimed: usize) -> Result<Attachments, DecodeError> {
        let Some(Batch { mut all, cut }) = self.waiting.pop_front() else {
            return Err(DecodeError::Attachments(
                "a frame claims some, and none came",
            ));
        };
        if cut && all.len() < claimed {
            all.resize_with(claimed, Attachment::lost);
        }
        match all.len() == claimed {
            true => Ok(all.into()),
            false => Err(DecodeError::Attachments(
                "a frame claims another number than came",
            )),
        }
    }

    /// Where nothing is left of what was received, all that came was claimed.
    #[inline]
    pub(super) fn check_claimed(&self, received: &[u8]) -> Result<(), DecodeError> {
        match self.waiting.is_empty() || !received.is_empty() {
            true => Ok(()),
            false => Err(DecodeError::Attachments("some came that no frame claims")),
        }
    }
}

/// The number of attachments that a header claims.
#[cold]
pub(super) fn claimed(attached: u8) -> Result<usize, DecodeError> {
    match usize::from(attached) {
        claimed @ 1..=MAX_ATTACHMENTS => Ok(claimed),
        _ => Err(DecodeError::Attachments("a frame claims too many, or none")),
    }
}
