//! One item: decode, call, encode the outcome, whatever any of it does.

use mt_proto::{EncodeError, Failure, ItemIndex, RecordTag, clip_text, decode_strict, push_record};

use super::outbox::Outbox;
use crate::{Task, Wire};

/// Turns outcomes into records, in a buffer that is used again and again.
#[derive(Debug)]
pub(super) struct Reporter {
    max_result_bytes: usize,
    scratch: Vec<u8>,
}

/// An outcome that is encoded, or why there is none.
pub(super) type Encoded = Result<(), Failure>;

impl Reporter {
    pub(super) fn new(max_result_bytes: u32) -> Self {
        Self {
            max_result_bytes: max_result_bytes as usize,
            scratch: Vec::new(),
        }
    }

    /// Encodes what a call returned, and drops it. Both are user code: to be called inside
    /// [`caught`](super::panic::caught).
    #[inline]
    pub(super) fn encode<R: Wire, E: Wire>(&mut self, result: Result<R, E>) -> Encoded {
        self.scratch.clear();
        let (scratch, limit) = (&mut self.scratch, self.max_result_bytes);
        let pushed = match &result {
            Ok(value) => push_record(scratch, RecordTag::Value, value, limit),
            Err(error) => push_record(scratch, RecordTag::Raised, error, limit),
        };
        pushed.map_err(|error| match error {
            EncodeError::TooLarge { limit } => Failure::TooLarge {
                limit_bytes: limit as u64,
            },
            other => Failure::Unserialisable {
                message: clip_text(other.to_string()),
            },
        })
    }

    /// Puts the outcome of item `index` into the outbox: what was encoded last, or the failure.
    /// Returns whether there is room for more.
    #[inline]
    pub(super) fn report(&mut self, outbox: &Outbox, index: ItemIndex, encoded: Encoded) -> bool {
        if let Err(failure) = encoded {
            self.scratch.clear();
            push_record(&mut self.scratch, RecordTag::Failure, &failure, usize::MAX)
                .expect("a failure has short texts and always encodes");
        }
        outbox.push(index, &mut self.scratch)
    }
}

/// Decodes an item.
#[inline]
pub(super) fn decode<T: Task>(value: &[u8]) -> Result<T::Input, Failure> {
    let undecodable = |error: mt_proto::DecodeError| Failure::Undecodable {
        message: error.to_string(),
    };
    decode_strict(value).map_err(undecodable)
}
