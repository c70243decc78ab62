//! One item on its way in.

use mt_proto::{Failure, clip_text, decode_strict};

use crate::Task;

/// Decodes an item.
#[inline]
pub(super) fn decode<T: Task>(value: &[u8]) -> Result<T::Input, Failure> {
    let undecodable = |error: mt_proto::DecodeError| Failure::Undecodable {
        message: clip_text(error.to_string()),
    };
    decode_strict(value).map_err(undecodable)
}
