//! What goes to the consumer, and in which order.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::BTreeMap, convert::Infallible};

use bytes::Bytes;
use mt_proto::{Attachments, CapturedStdout, EncodedValue, ItemIndex, Record, Records, Segment};

use crate::error::TaskErrorKind;

/// Outcomes of consecutive items.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    /// As a worker told them.
    Results(Results),
    /// One that there is more to say of than a worker told, or that no worker has an outcome for.
    Apart(Box<Apart>),
}

/// What a worker told of consecutive items, none of which has attachments.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) first: ItemIndex,
    pub(crate) count: u32,
    pub(crate) records: Bytes,
}

/// An item that was told of by itself.
#[derive(Debug, Clone)]
pub(crate) struct Apart {
    pub(crate) index: ItemIndex,
    pub(crate) attempts: u32,
    pub(crate) payload: Option<EncodedValue>,
    /// What its call has printed in a worker that died, where that is captured.
    pub(crate) stdout: CapturedStdout,
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
    /// What a worker has told.
    pub(crate) fn results(told: Segment) -> Self {
        let Segment {
            first,
            count,
            records,
            attachments,
        } = told;
        match attachments.is_empty() {
            true => Self::Results(Results {
                first,
                count,
                records,
            }),
            false => Self::attached(first, records, &attachments),
        }
    }

    #[cold]
    fn attached(index: ItemIndex, records: Bytes, attachments: &Attachments) -> Self {
        let record = Records::new(records).next_record().ok().flatten();
        let record = record.expect("results were counted when they came in");
        Self::Apart(Box::new(Apart {
            index,
            attempts: 1,
            payload: None,
            stdout: CapturedStdout::default(),
            end: End::Told(record.with_attachments(attachments)),
        }))
    }

    /// An item that can't be sent, or did not come.
    pub(crate) fn refused(index: ItemIndex, lost: Lost) -> Self {
        Self::Apart(Box::new(Apart {
            index,
            attempts: 0,
            payload: None,
            stdout: CapturedStdout::default(),
            end: End::Lost(lost),
        }))
    }

    pub(crate) fn first(&self) -> ItemIndex {
        match self {
            Self::Results(run) => run.first,
            Self::Apart(apart) => apart.index,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Results(run) => run.count,
            Self::Apart(_) => 1,
        }
    }

    /// The items it tells of.
    pub(crate) fn indices(&self) -> impl Iterator<Item = ItemIndex> + use<> {
        let first = self.first().0;
        (first..first + u64::from(self.count())).map(ItemIndex)
    }

    /// The bytes it keeps alive, roughly, attachments as they count.
    pub(crate) fn len_bytes(&self) -> usize {
        match self {
            Self::Results(run) => run.records.len(),
            Self::Apart(apart) => apart.len_bytes(),
        }
    }
}

impl Apart {
    /// What its last try has printed, where that is captured.
    pub(crate) fn printed(&self) -> CapturedStdout {
        match &self.end {
            End::Told(record) => record.tally().stdout(),
            End::Lost(_) => self.stdout.clone(),
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn len_bytes(&self) -> usize {
        match &self.end {
            End::Told(record) => record.weight(),
            End::Lost(_) => self.stdout.bytes().len(),
        }
    }
}

/// Puts deliveries in the order of the input. What it holds is bounded by the items in flight, which
/// the consumer's credit bounds; and in bytes by what workers may start: see [`hold`](super::hold).
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    next: ItemIndex,
    early: BTreeMap<ItemIndex, Delivery>,
    bytes: usize,
}

impl Reorder {
    /// Takes an outcome in; [`pop`](Self::pop) tells what may go out.
    pub(crate) fn push(&mut self, delivery: Delivery) {
        debug_assert!(delivery.first() >= self.next, "an outcome came twice");
        self.bytes += delivery.len_bytes();
        self.early.insert(delivery.first(), delivery);
    }

    /// The item whose outcome is the next to go out.
    pub(crate) fn next(&self) -> ItemIndex {
        self.next
    }

    /// The bytes of all that waits for its turn.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn pop(&mut self) -> Option<Delivery> {
        let entry = self.early.first_entry()?;
        if *entry.key() != self.next {
            return None;
        }
        let delivery = entry.remove();
        self.bytes -= delivery.len_bytes();
        self.next = self.next.plus(u64::from(delivery.count()));
        Some(delivery)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.early.is_empty()
    }
}
