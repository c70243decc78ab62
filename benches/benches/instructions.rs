//! The hot paths, once each over a thousand items: `cargo xtask bench gate` counts their instructions.
#![expect(
    missing_docs,
    reason = "the modules that gungraun's macros write have none"
)]

use std::{hint::black_box, time::Instant};

use bytes::{Bytes, BytesMut};
use gungraun::{Callgrind, prelude::*};
use mt_beehive::{__hot_paths::DelegateRun, Dispatch};
use mt_pool::__hot_paths::{DispatchRun, ReorderRun};
use mt_proto::{
    Attachments, Frame, FrameDecoder, FromExecutor, ItemIndex, Limits, RecordBuffer, RecordTag,
    Records, Segment, SegmentWriter, ToExecutor, decode_item_attached,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What each path is counted over; a figure is divided by it.
const ITEMS: u32 = 1_000;
/// No value is longer.
const LIMIT: usize = 1 << 20;
/// How far outcomes are out of their order.
const SPREAD: usize = 64;
/// The dynamic linker takes other functions for copying where the processor has more; these are everybody's.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-BMI1,-BMI2,-LZCNT,-MOVBE,-RTM,-SSSE3,-SSE4_1,-SSE4_2";

/// An item with fields.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    id: u64,
    name: String,
    values: Vec<f64>,
}

fn numbers() -> Vec<u64> {
    (0..u64::from(ITEMS)).collect()
}

fn rows() -> Vec<Row> {
    let row = |id| Row {
        id,
        name: format!("row {id:08}"),
        values: vec![0.5; 8],
    };
    (0..u64::from(ITEMS)).map(row).collect()
}

fn packed<T: Serialize + 'static>(items: &[T]) -> Bytes {
    let mut buffer = RecordBuffer::default();
    let mut attachments = Attachments::NONE;
    for item in items {
        let pushed = buffer.push_attaching(item, LIMIT, &mut attachments);
        pushed.expect("an item encodes");
    }
    buffer.take()
}

fn told<T: Serialize + 'static>(values: &[T]) -> Bytes {
    let mut writer = SegmentWriter::new();
    for (index, value) in (0..).map(ItemIndex).zip(values) {
        let pushed = writer.push(index, RecordTag::Value, value, LIMIT);
        pushed.expect("a value encodes");
    }
    writer.take().into_bytes()
}

/// A frame of items as it stands on the wire.
fn sent<T: Serialize + 'static>(items: &[T]) -> BytesMut {
    let segment = Segment {
        first: ItemIndex(0),
        count: ITEMS,
        records: packed(items),
        attachments: Attachments::NONE,
    };
    let mut wire = BytesMut::new();
    ToExecutor::Items(segment).into_frame().write_to(&mut wire);
    wire
}

/// Reads a frame, and decodes what `segment` finds in it.
fn read<T: DeserializeOwned + 'static>(
    mut wire: BytesMut,
    segment: impl Fn(Frame) -> Option<Segment>,
) -> u32 {
    let mut decoder = FrameDecoder::new(Limits::default());
    let mut count = 0;
    while let Some(frame) = decoder.decode(&mut wire).expect("it is well-formed") {
        let segment = segment(frame).expect("it has records");
        let mut records = Records::new(segment.records);
        while let Some(item) = records
            .next_with(|_, value| decode_item_attached::<T>(value, &segment.attachments))
            .expect("it is well-formed")
        {
            black_box(item.expect("it decodes"));
            count += 1;
        }
    }
    count
}

fn items_of(frame: Frame) -> Option<Segment> {
    match ToExecutor::from_frame(frame).ok()? {
        ToExecutor::Items(segment) => Some(segment),
        ToExecutor::Patience(_) | ToExecutor::Withdraw(_) => None,
        ToExecutor::Prepare(..) | ToExecutor::Forget(_) => None,
    }
}

fn outcomes_of(frame: Frame) -> Option<Segment> {
    match FromExecutor::from_frame(frame).ok()? {
        FromExecutor::Results(segment) => Some(segment),
        FromExecutor::Notice(_) | FromExecutor::Exit(_) => None,
    }
}

#[library_benchmark]
#[bench::numbers(numbers())]
fn encode_items(items: Vec<u64>) -> Bytes {
    packed(&black_box(items))
}

#[library_benchmark]
#[bench::rows(rows())]
fn encode_row_items(items: Vec<Row>) -> (Bytes, Vec<Row>) {
    (packed(black_box(&items)), items)
}

#[library_benchmark]
#[bench::numbers(numbers())]
fn encode_outcomes(values: Vec<u64>) -> Bytes {
    told(&black_box(values))
}

#[library_benchmark]
#[bench::numbers(sent(&numbers()))]
fn decode_items(wire: BytesMut) -> u32 {
    read::<u64>(black_box(wire), items_of)
}

#[library_benchmark]
#[bench::rows(sent(&rows()))]
fn decode_row_items(wire: BytesMut) -> u32 {
    read::<Row>(black_box(wire), items_of)
}

#[library_benchmark]
#[bench::numbers(BytesMut::from(&told(&numbers())[..]))]
fn decode_outcomes(wire: BytesMut) -> u32 {
    read::<u64>(black_box(wire), outcomes_of)
}

// Windows of a plain function are reported as a whole, those of many calls at once item by item.
#[library_benchmark]
#[bench::ordered(DispatchRun::new(Instant::now(), ITEMS, true, u32::MAX))]
#[bench::unordered(DispatchRun::new(Instant::now(), ITEMS, false, u32::MAX))]
#[bench::ordered_singly(DispatchRun::new(Instant::now(), ITEMS, true, 1))]
#[bench::unordered_singly(DispatchRun::new(Instant::now(), ITEMS, false, 1))]
fn dispatch(mut run: DispatchRun) -> DispatchRun {
    assert_eq!(black_box(&mut run).run(), u64::from(ITEMS));
    run
}

#[library_benchmark]
#[bench::singly(ReorderRun::new(ITEMS, SPREAD))]
fn reorder(mut run: ReorderRun) -> ReorderRun {
    assert_eq!(black_box(&mut run).run(), u64::from(ITEMS));
    run
}

#[library_benchmark]
#[bench::auction(DelegateRun::new(Instant::now(), Dispatch::Auction))]
#[bench::credit(DelegateRun::new(Instant::now(), Dispatch::Credit))]
fn delegate(mut run: DelegateRun) -> DelegateRun {
    let tasks = u64::from(ITEMS);
    assert_eq!(black_box(&mut run).run(tasks), tasks);
    run
}

library_benchmark_group!(
    name = hot_paths,
    benchmarks = [
        encode_items,
        encode_row_items,
        encode_outcomes,
        decode_items,
        decode_row_items,
        decode_outcomes,
        dispatch,
        reorder,
        delegate
    ]
);

main!(
    config = LibraryBenchmarkConfig::default()
        .env("GLIBC_TUNABLES", TUNABLES)
        .tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = hot_paths
);
