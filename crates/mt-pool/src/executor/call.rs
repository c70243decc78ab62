//! One item on its way in.

use std::time::Duration;

use mt_proto::{Deadline, Failure, clip_text, decode_strict};
use tokio::time::Instant;

use crate::Task;

/// Decodes an item.
#[inline]
pub(super) fn decode<T: Task>(value: &[u8]) -> Result<T::Input, Failure> {
    let undecodable = |error: mt_proto::DecodeError| Failure::Undecodable {
        message: clip_text(error.to_string()),
    };
    decode_strict(value).map_err(undecodable)
}

/// The outcome of an item that has waited for too long, if it has.
#[inline]
pub(super) fn expired(start_by: Option<Instant>, limit: Option<Duration>) -> Option<Failure> {
    let limit = limit.unwrap_or_default();
    (start_by? <= Instant::now()).then_some(Failure::TimedOut {
        deadline: Deadline::Queue,
        limit,
    })
}
