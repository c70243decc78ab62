//! Attachments that have come beside the bytes, until the frame is there that claims them.

use std::collections::VecDeque;

use crate::{Attachment, Attachments, DecodeError, MAX_ATTACHMENTS};

/// The most batches that wait: that of a frame of which not all is there, that of the next, whose first bytes have come
/// with the rest of the former, and some more of who has looked whether something came, and has not decoded it.
const MAX_WAITING: usize = 8;

/// What has come and was not claimed yet, a batch for each frame. One word where none ever came.
#[derive(Debug, Default)]
pub(super) struct Batches(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Batch>,
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
    #[cold]
    pub(super) fn push(&mut self, all: Vec<Attachment>, cut: bool) {
        let waiting = self.0.get_or_insert_default();
        if waiting.batches.len() == MAX_WAITING || all.len() > MAX_ATTACHMENTS {
            waiting.too_many = true;
            return;
        }
        waiting.batches.push_back(Batch { all, cut });
    }

    /// No more came than frames can have claimed.
    #[inline]
    pub(super) fn check_few(&self) -> Result<(), DecodeError> {
        match self.0.as_ref().is_some_and(|waiting| waiting.too_many) {
            false => Ok(()),
            true => Err(DecodeError::Attachments("more came than may be")),
        }
    }

    /// The attachments of the frame that begins, which claims so many.
    #[cold]
    pub(super) fn take(&mut self, claimed: usize) -> Result<Attachments, DecodeError> {
        let next = self.0.as_mut().and_then(|it| it.batches.pop_front());
        let Some(Batch { mut all, cut }) = next else {
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
        let is_claimed = |waiting: &Waiting| waiting.batches.is_empty();
        match self.0.as_deref().is_none_or(is_claimed) || !received.is_empty() {
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
