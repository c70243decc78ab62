//! What goes to the consumer.
//!
//! Pure: no IO, no clock, no runtime.

use std::convert::Infallible;

use bytes::Bytes;
use mt_proto::{ItemIndex, Record, Segment};

use crate::error::TaskErrorKind;

/// Outcomes of consecutive items.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    /// As a worker told them.
    Results(Segment),
    /// One that there is more to say of than a worker told, or that no worker has an outcome for.
    Apart(Box<Apart>),
}

/// An item that was told of by itself.
#[derive(Debug, Clone)]
pub(crate) struct Apart {
    pub(crate) index: ItemIndex,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// The item, encoded.
    pub(crate) payload: Option<Bytes>,
    pub(crate) end: End,
}

/// How an item ended that is told of by itself.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// As a worker told.
    Told(Record),
    /// No worker has an outcome for it.
    Lost(Lost),
}

/// Why no worker has an outcome for an item.
pub(crate) type Lost = TaskErrorKind<Infallible>;

impl Delivery {
    /// An item that can't be sent, or did not come.
    pub(crate) fn refused(index: ItemIndex, lost: Lost) -> Self {
        Self::Apart(Box::new(Apart {
            index,
            attempts: 0,
            payload: None,
            end: End::Lost(lost),
        }))
    }

    /// The index of the first item.
    pub(crate) fn first(&self) -> ItemIndex {
        match self {
            Self::Results(run) => run.first,
            Self::Apart(apart) => apart.index,
        }
    }

    /// How many items.
    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Results(run) => run.count,
            Self::Apart(_) => 1,
        }
    }

    /// The bytes it keeps alive, roughly.
    pub(crate) fn len_bytes(&self) -> usize {
        match self {
            Self::Results(run) => run.records.len(),
            Self::Apart(apart) => apart.len_bytes(),
        }
    }
}

impl Apart {
    /// The bytes of its result.
    pub(crate) fn len_bytes(&self) -> usize {
        match &self.end {
            End::Told(record) => record.value.len(),
            End::Lost(_) => 0,
        }
    }
}
