//! Tables are read where they are, and nothing else is taken for one.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, ListArray,
    RecordBatch, StringArray,
    cast::AsArray,
    types::{Float64Type, Int32Type},
};
use arrow_schema::ArrowError;
use mt_proto::{Attachments, decode_attached, encode_attaching};
use mt_test_kit::{Dice, assert_is};

use super::Blob;

const ROWS: usize = 50_000;

/// A column of each way that arrays lie in memory.
fn batch(salt: usize) -> RecordBatch {
    let rows = || (salt..).take(ROWS);
    let scores: Float64Array = rows().map(|n| (n % 7 > 0).then_some(n as f64)).collect();
    let names: StringArray = rows().map(|n| Some(format!("wine {n}"))).collect();
    let kinds = rows().map(|n| ["red", "white", "rosé"][n % 3]);
    let kinds: DictionaryArray<Int32Type> = kinds.collect();
    let years = rows().map(|n| Some((0..n % 4).map(|year| Some(year as i32))));
    let years = ListArray::from_iter_primitive::<Int32Type, _, _>(years);
    let good: BooleanArray = rows().map(|n| Some(n % 2 == 0)).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("score", Arc::new(scores)),
        ("name", Arc::new(names)),
        ("kind", Arc::new(kinds)),
        ("years", Arc::new(years)),
        ("good", Arc::new(good)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn table() -> (Vec<RecordBatch>, Blob) {
    let batches = vec![batch(0), batch(9), batch(6).slice(3, 1000)];
    let blob = Blob::of_record_batches(&batches[0].schema(), &batches).unwrap();
    (batches, blob)
}

/// Where the buffers of all arrays of a batch are.
fn places(batch: &RecordBatch) -> Vec<Range<usize>> {
    let mut left: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| column.to_data())
        .collect();
    let mut places = Vec::new();
    while let Some(data) = left.pop() {
        let nulls = data.nulls().map(|nulls| nulls.buffer().clone());
        for buffer in data.buffers().iter().cloned().chain(nulls) {
            let start = buffer.as_ptr().addr();
            places.extend((!buffer.is_empty()).then(|| start..start + buffer.len()));
        }
        left.extend(data.child_data().iter().cloned());
    }
    places
}

/// Case M220: The arrays of a table are in the blob that it is, wherever that is mapped, and outlive whoever has read it.
#[test]
fn arrays_are_where_the_blob_is_and_keep_it() {
    let (batches, made) = table();
    assert_eq!(made.record_schema().unwrap(), batches[0].schema());
    let mut attachments = Attachments::NONE;
    let encoded = encode_attaching(&made, usize::MAX, &mut attachments).unwrap();
    assert!(encoded.len() < 100, "it crosses as a file");
    let crossed: Blob = decode_attached(&encoded, &attachments).unwrap();
    for blob in [made, crossed] {
        let own = blob.as_ptr().addr()..blob.as_ptr().addr() + blob.len();
        let read = blob.record_batches().unwrap();
        let places: Vec<_> = read.iter().flat_map(places).collect();
        assert!(places.len() >= 8 * batches.len());
        for place in places {
            assert!(
                own.start <= place.start && place.end <= own.end,
                "{place:?}"
            );
        }
        drop(blob);
        assert_eq!(read, batches);
        let scores = read[1]["score"].as_primitive::<Float64Type>();
        assert_eq!((scores.value(1), scores.is_null(5)), (10.0, true));
    }
}

#[test]
fn a_table_without_rows_or_batches_is_one() {
    let schema = batch(0).schema();
    let none = Blob::of_record_batches(&schema, [] as [RecordBatch; 0]).unwrap();
    assert_eq!(none.record_batches().unwrap(), []);
    assert_eq!(none.record_schema().unwrap(), schema);
    let empty = batch(0).slice(0, 0);
    let blob = Blob::of_record_batches(&schema, [&empty]).unwrap();
    assert_eq!(blob.record_batches().unwrap(), [empty]);
}

/// Case M221: Bytes that are no table, or of a table only a part, are an error, as is a batch with other fields.
#[test]
fn what_is_no_table_is_refused() {
    let (batches, whole) = table();
    let other = Arc::new(Int32Array::from(vec![1])) as ArrayRef;
    let other = RecordBatch::try_from_iter([("score", other)]).unwrap();
    let mixed = Blob::of_record_batches(&batches[0].schema(), [&batches[0], &other]);
    assert_is!(mixed, Err(ArrowError::SchemaError(_)));
    // The dictionary is in another order.
    let two = Blob::of_record_batches(&batches[0].schema(), [&batches[0], &batch(5)]);
    assert_is!(two, Err(ArrowError::InvalidArgumentError(_)));
    let mut dice = Dice::seeded(1);
    for _ in 0..50 {
        let end = dice.below(whole.len() as u64) as usize;
        let cut = Blob::copy_of(&whole[..end]).unwrap();
        assert!(cut.record_batches().is_err(), "cut to {end} bytes");
        let rest = Blob::copy_of(&whole[end..]).unwrap();
        assert!(
            end == 0 || rest.record_batches().is_err(),
            "without {end} bytes"
        );
    }
}
