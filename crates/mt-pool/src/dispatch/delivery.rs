//! What goes to the consumer.
//!
//! Pure: no IO, no clock, no runtime.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mt_proto::{Deadline, ItemIndex, Segment};

use crate::supervision::{Death, WorkerFailure};

/// Outcomes of consecutive items.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    /// As a worker told them.
    Results(Segment),
    /// An item that no worker has an outcome for.
    Lost {
        /// The item.
        index: ItemIndex,
        /// Why.
        lost: Box<Lost>,
    },
}

/// Why no worker has an outcome for an item.
#[derive(Debug, Clone)]
pub(crate) enum Lost {
    /// It was running when its worker died, `attempts` times.
    Crashed {
        /// The last death.
        death: Death,
        /// How many workers died while it ran.
        attempts: u32,
        /// The item, encoded.
        payload: Bytes,
    },
    /// It waited or ran for too long.
    TimedOut {
        /// Which deadline it was.
        deadline: Deadline,
        /// How long that is.
        limit: Duration,
        /// The item, encoded.
        payload: Bytes,
    },
    /// It used too much memory, `attempts` times.
    MemoryExceeded {
        /// The resident bytes it was seen with.
        rss: u64,
        /// The most it may have; `None` when it was the system that had no more.
        limit: Option<u64>,
        /// How many workers were killed for it.
        attempts: u32,
        /// The item, encoded.
        payload: Bytes,
    },
    /// The run was interrupted or cancelled before it was done.
    Cancelled {
        /// The item, encoded.
        payload: Bytes,
    },
    /// No worker could be had.
    Pool(Arc<WorkerFailure>),
    /// The item does not serialise.
    Unserialisable(String),
    /// The item is too long.
    TooLarge {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// The input panicked instead of yielding the item.
    InputPanicked(String),
}

impl Delivery {
    /// The index of the first item.
    pub(crate) fn first(&self) -> ItemIndex {
        match self {
            Self::Results(run) => run.first,
            Self::Lost { index, .. } => *index,
        }
    }

    /// How many items.
    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Results(run) => run.count,
            Self::Lost { .. } => 1,
        }
    }

    /// The bytes it keeps alive, roughly.
    pub(crate) fn len_bytes(&self) -> usize {
        match self {
            Self::Results(run) => run.records.len(),
            Self::Lost { .. } => 0,
        }
    }
}
