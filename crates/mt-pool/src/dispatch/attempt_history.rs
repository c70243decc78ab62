//! What an item has been through before it is tried again.
//!
//! Pure: no IO, no clock, no runtime.

use mt_proto::{CapturedStdout, EncodedValue, ItemIndex, Record, RecordBuffer, Segment};

use super::delivery::{Apart, Delivery, End, Lost};

/// What counts against an item, each with a limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AttemptHistory {
    /// The workers that died while it ran.
    pub(crate) deaths: u32,
    /// The workers that were killed for their memory while it ran in them and nothing else did.
    pub(crate) breaches: u32,
    /// The errors it has raised.
    pub(crate) errors: u32,
    /// Whether the item needs a worker that has run nothing yet: what others leave behind must not count against it.
    pub(crate) fresh: bool,
}

impl AttemptHistory {
    pub(crate) fn attempts(self) -> u32 {
        let deaths = self.deaths.saturating_add(self.breaches);
        deaths.saturating_add(self.errors)
    }

    /// Whether it must not share its worker with others.
    pub(crate) fn runs_alone(self) -> bool {
        self.deaths > 0 || self.fresh
    }
}

/// An item that was given out and comes back.
#[derive(Debug, Clone)]
pub(crate) struct RetryItem {
    pub(crate) index: ItemIndex,
    pub(crate) past: AttemptHistory,
    pub(crate) payload: EncodedValue,
    /// What the last try has printed before its worker died, where that is captured.
    pub(crate) stdout: CapturedStdout,
}

impl RetryItem {
    /// The outcome of an item that waited, or whose last try is in its history.
    pub(crate) fn lost(self, lost: Lost) -> Delivery {
        self.ended(0, End::Lost(lost))
    }

    /// The outcome of an item that was running and is not tried again.
    pub(crate) fn stopped(self, lost: Lost) -> Delivery {
        self.ended(1, End::Lost(lost))
    }

    /// The outcome as a worker told it.
    pub(crate) fn told(self, record: Record) -> Delivery {
        self.ended(1, End::Told(record))
    }

    fn ended(self, more_tries: u32, end: End) -> Delivery {
        Delivery::Apart(Box::new(Apart {
            index: self.index,
            attempts: self.past.attempts().saturating_add(more_tries),
            payload: Some(self.payload),
            stdout: self.stdout,
            end,
        }))
    }

    /// The item as a piece of one.
    pub(crate) fn to_run(&self) -> Segment {
        let mut records = RecordBuffer::with_capacity(self.payload.bytes.len() + 4);
        records.push_raw(&self.payload.bytes);
        Segment {
            first: self.index,
            count: 1,
            records: records.take(),
            attachments: self.payload.attachments.clone(),
        }
    }
}
