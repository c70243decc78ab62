//! Items that say their index.

use std::sync::Arc;

use bytes::Bytes;
use mt_proto::{
    Attachments, Failure, Frame, ItemIndex, Kind, PreparedId, RecordBuffer, RecordTag, Records,
    Segment, push_record,
};

use super::super::Prepared;

/// A prepared task of which workers are told nothing.
pub(super) fn prepared(id: u64) -> Arc<Prepared> {
    Arc::new(Prepared {
        id: PreparedId(id),
        frame: Frame::new(Kind::Prepare, Bytes::new()),
    })
}

/// Items, or results, each of which says its index.
pub(super) fn items(first: u64, count: u32) -> Segment {
    let mut records = RecordBuffer::with_capacity(16);
    for item in first..first + u64::from(count) {
        records.push_raw(&item.to_le_bytes());
    }
    Segment {
        first: ItemIndex(first),
        count,
        records: records.take(),
        attachments: Attachments::NONE,
    }
}

/// The result of an item that raised an error.
pub(super) fn error(index: u64) -> Segment {
    let mut record = Vec::new();
    push_record(&mut record, RecordTag::Raised, &index, 100).expect("short");
    Segment {
        first: ItemIndex(index),
        count: 1,
        records: record.into(),
        attachments: Attachments::NONE,
    }
}

/// What a worker says of a call that it has not begun, and need not.
pub(super) fn cancelled(index: u64) -> Segment {
    let mut record = Vec::new();
    push_record(&mut record, RecordTag::Failure, &Failure::Cancelled, 100).expect("short");
    Segment {
        records: record.into(),
        ..error(index)
    }
}

pub(super) fn payloads(run: &Segment) -> Vec<u64> {
    let mut records = Records::new(run.records.clone());
    let read = |value: Bytes| u64::from_le_bytes(value[..].try_into().expect("eight bytes"));
    let next = || records.next_record().expect("well formed");
    std::iter::from_fn(next)
        .map(|record| read(record.value))
        .collect()
}
