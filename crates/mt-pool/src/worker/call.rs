//! One item: decode, call, encode the outcome, whatever any of it does.

use mt_proto::{EncodeError, Failure, ItemIndex, RecordTag, clip_text, decode_strict, push_record};

use super::{outbox::Outbox, panic::caught};
use crate::{Task, Wire};

/// What a call came to, if it came to anything.
pub(super) type Called<T> = Result<Result<<T as Task>::Output, <T as Task>::Error>, Failure>;

/// Turns outcomes into records.
#[derive(Debug)]
pub(super) struct Reporter {
    max_result_bytes: usize,
    scratch: Vec<u8>,
}

impl Reporter {
    pub(super) fn new(max_result_bytes: u32) -> Self {
        Self {
            max_result_bytes: max_result_bytes as usize,
            scratch: Vec::new(),
        }
    }

    /// Encodes the outcome of an item and puts it into the outbox. The value's `Serialize` and its
    /// `Drop` are user code, and are caught like the call.
    #[inline]
    pub(super) fn report<T: Task>(&mut self, outbox: &Outbox, index: ItemIndex, called: Called<T>) {
        self.scratch.clear();
        let (scratch, limit) = (&mut self.scratch, self.max_result_bytes);
        let encoded = match called {
            Ok(result) => caught(move || {
                match &result {
                    Ok(value) => push(scratch, RecordTag::Value, value, limit),
                    Err(error) => push(scratch, RecordTag::Raised, error, limit),
                }
                // `result` is dropped here.
            })
            .and_then(|encoded| encoded),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = encoded {
            self.scratch.clear();
            push_record(&mut self.scratch, RecordTag::Failure, &failure, usize::MAX)
                .expect("a failure has short texts and always encodes");
        }
        outbox.push(index, &mut self.scratch);
    }
}

fn push<V: Wire>(
    scratch: &mut Vec<u8>,
    tag: RecordTag,
    value: &V,
    limit: usize,
) -> Result<(), Failure> {
    push_record(scratch, tag, value, limit).map_err(|error| match error {
        EncodeError::TooLarge { limit } => Failure::TooLarge {
            limit_bytes: limit as u64,
        },
        other => Failure::Unserialisable {
            message: clip_text(other.to_string()),
        },
    })
}

/// Decodes an item.
#[inline]
pub(super) fn decode<T: Task>(value: &[u8]) -> Result<T::Input, Failure> {
    let undecodable = |error: mt_proto::DecodeError| Failure::Undecodable {
        message: error.to_string(),
    };
    decode_strict(value).map_err(undecodable)
}
