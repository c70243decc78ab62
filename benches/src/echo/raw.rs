//! Both ends of the raw echo.

use std::ops::Range;

use anyhow::{Result, bail, ensure};
use mt_proto::{
    Attachments, Frame, FromExecutor, ItemIndex, MAX_RECORD_BYTES, RecordBuffer, RecordTag,
    Records, Segment, SegmentWriter, ToExecutor, decode_strict,
};

use super::{parent_socket, start_connected, wire::Wire};
use crate::{
    measure::{Load, Pace, Sample},
    processes::{self, RAW_ECHO},
};

/// How the items of an echo travel.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Items in one frame.
    pub items_per_frame: u32,
    /// The most frames sent and not yet answered. They, and their answers, must fit the socket's
    /// buffers: with one thread a side, both would wait in a write otherwise.
    pub frames_in_flight: u32,
}

impl Shape {
    /// As many items as a batch, and enough frames that neither side ever waits for the other to be told.
    pub const BATCHES: Self = Self {
        items_per_frame: 1024,
        frames_in_flight: 8,
    };
    /// Each item a message of its own.
    pub const MESSAGES: Self = Self {
        items_per_frame: 1,
        frames_in_flight: 64,
    };
}

/// Sends a load through a child process and back, and checks it.
pub fn raw_echo(load: Load, shape: Shape) -> Result<Sample> {
    let mut pace = Pace::start(load);
    let (child, socket) = start_connected(RAW_ECHO)?;
    let mut wire = Wire::new(socket);
    let mut items = RecordBuffer::default();
    let total = load.total();
    let (mut sent, mut in_flight, mut sum) = (0, 0, 0u64);
    while !pace.is_complete() {
        while in_flight < shape.frames_in_flight && sent < total {
            let end = total.min(sent + u64::from(shape.items_per_frame));
            wire.send(frame_of(sent..end, &mut items)?)?;
            (sent, in_flight) = (end, in_flight + 1);
        }
        ensure!(wire.receive()?, "the echo's child went away");
        while let Some(frame) = wire.next_frame()? {
            let FromExecutor::Results(results) = FromExecutor::from_frame(frame)? else {
                bail!("the echo's child sent something other than results");
            };
            let mut records = Records::new(results.records);
            while let Some(value) = records.next_with(|_, v| decode_strict::<u64>(v))? {
                sum = sum.wrapping_add(value?);
            }
            pace.add(u64::from(results.count));
            in_flight -= 1;
        }
    }
    let sample = pace.finish(sum)?;
    drop(wire);
    processes::end(child)?;
    Ok(sample)
}

fn frame_of(numbers: Range<u64>, items: &mut RecordBuffer) -> Result<Frame> {
    let first = ItemIndex(numbers.start);
    for number in numbers {
        items.push(&number, MAX_RECORD_BYTES)?;
    }
    let segment = Segment {
        first,
        count: items.count(),
        records: items.take(),
        attachments: Attachments::NONE,
    };
    Ok(ToExecutor::Items(segment).into_frame())
}

/// Echoes what comes on standard input, which is a socket, until the parent closes it: a frame of
/// results for every frame of items.
pub(crate) fn run_child() -> Result<()> {
    let mut wire = Wire::new(parent_socket()?);
    let mut results = SegmentWriter::new();
    while wire.receive()? {
        while let Some(frame) = wire.next_frame()? {
            let ToExecutor::Items(items) = ToExecutor::from_frame(frame)? else {
                bail!("the parent sent something other than items");
            };
            let mut index = items.first;
            let mut records = Records::new(items.records);
            while let Some(value) = records.next_with(|_, item| decode_strict::<u64>(item))? {
                results.push(index, RecordTag::Value, &value?, MAX_RECORD_BYTES)?;
                index = index.plus(1);
            }
            wire.send_encoded(&results.take().into_bytes())?;
        }
    }
    Ok(())
}
