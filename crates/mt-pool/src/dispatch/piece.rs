//! Untouched items that came, or are given out, together.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::{CapturedStdout, EncodedValue, Records, Segment};

use super::attempt_history::{AttemptHistory, RetryItem};

/// Items that came in small change are joined up to this many items and bytes.
pub(super) const JOIN_ITEMS: u32 = 1024;
pub(super) const JOIN_BYTES: usize = 64 * 1024;

/// Untouched items, and since when they wait.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) run: Segment,
    pub(crate) since: Instant,
}

/// Untouched items on their way to a worker.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) waiting: Waiting,
    /// When they have waited for too long.
    pub(crate) due: Option<Instant>,
    /// Whether they are calls that share their worker's thread with others.
    pub(crate) shares: bool,
}

/// The items of a piece, one by one.
pub(super) fn items_of(run: Segment) -> impl Iterator<Item = RetryItem> {
    let mut records = Records::new(run.records);
    let mut index = run.first;
    let attachments = run.attachments;
    std::iter::from_fn(move || {
        let record = records.next_record().ok().flatten()?;
        let item = RetryItem {
            index,
            past: AttemptHistory::default(),
            payload: EncodedValue {
                bytes: record.value,
                attachments: attachments.clone(),
            },
            stdout: CapturedStdout::default(),
        };
        index = index.plus(1);
        Some(item)
    })
}
