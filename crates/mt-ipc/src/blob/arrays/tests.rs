//! What views of a blob promise, and what they refuse.

use std::io;

use bytemuck::{Pod, Zeroable};
use mt_proto::{Attachments, decode_attached, encode_attaching};
use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, array, s};

use super::{Blob, ViewError};

/// As many rows as make a file of it, and some more.
const ROWS: usize = Blob::FILE_BYTES / 8 / 3 + 10;

fn table() -> Array2<f64> {
    Array2::from_shape_fn((ROWS, 3), |(row, column)| row as f64 + column as f64 / 10.0)
}

/// The blob in another process, as far as it can tell.
fn crossed(blob: &Blob) -> Blob {
    let mut attachments = Attachments::NONE;
    let encoded = encode_attaching(blob, usize::MAX, &mut attachments).unwrap();
    decode_attached(&encoded, &attachments).unwrap()
}

/// Case M217: A view of a blob is the array that it was made of, in the blob's own memory, wherever that is mapped.
#[test]
fn a_view_is_the_array_in_the_blobs_own_memory() {
    let table = table();
    let made = Blob::of_array(&table).unwrap();
    for blob in [crossed(&made), made] {
        let view: ArrayView2<'_, f64> = blob.view((ROWS, 3)).unwrap();
        assert_eq!(view, table);
        assert_eq!(view.as_ptr().addr(), blob.as_ptr().addr());
        let flat: ArrayView1<'_, f64> = blob.view(ROWS * 3).unwrap();
        assert_eq!(flat.len(), table.len());
        let other: ArrayView3<'_, u32> = blob.view([3, ROWS, 2]).unwrap();
        assert_eq!(other.len(), 2 * table.len());
    }
    let small = Blob::of_array(&array![1_u16, 2, 3]).unwrap();
    assert_eq!(small.view::<u16, _>(3).unwrap(), array![1, 2, 3]);
    assert!(
        Blob::of_array(&Array2::<f32>::zeros((0, 7)))
            .unwrap()
            .is_empty()
    );
}

/// Case M218: Of an array that lies in memory in another order the elements are those, row by row.
#[test]
fn arrays_in_any_order_are_laid_row_by_row() {
    let table = table();
    let mut backwards = table.clone();
    backwards.invert_axis(Axis(0));
    let of = |blob: io::Result<Blob>, shape: (usize, usize)| {
        let blob = blob.unwrap();
        blob.view::<f64, _>(shape).unwrap().to_owned()
    };
    assert_eq!(of(Blob::of_array(&table.t()), (3, ROWS)), table.t());
    assert_eq!(of(Blob::of_array(&backwards), (ROWS, 3)), backwards);
    let part = table.slice(s![1..;2, 1..]);
    assert_eq!(of(Blob::of_array(&part), part.dim()), part);
    let cube = Array3::from_shape_fn((4, 5, 6), |(a, b, c)| (a * 100 + b * 10 + c) as i64);
    let turned = cube.permuted_axes([2, 0, 1]);
    let blob = Blob::of_array(&turned).unwrap();
    assert_eq!(blob.view::<i64, _>((6, 4, 5)).unwrap(), turned);
}

#[test]
fn an_array_is_filled_in_place() {
    let blob = Blob::filled_array((ROWS, 3), |mut made| {
        assert!(made.iter().all(|element: &f64| *element == 0.0));
        made.assign(&table());
        Ok(())
    });
    assert_eq!(blob.unwrap().view::<f64, _>((ROWS, 3)).unwrap(), table());
    let failed = Blob::filled_array::<u8, _>(5, |_| Err(io::ErrorKind::Unsupported.into()));
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::Unsupported);
}

/// A record, as those are that come from C.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Wine {
    id: u64,
    scores: [f32; 2],
}

/// More aligned than any blob.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(8192))]
struct Wide([u8; 4096], [u8; 4096]);

/// Case M219: What is no array of that shape is an error that says why: a view never has other elements than there are.
#[test]
fn what_is_no_array_of_that_shape_is_refused() {
    let wines = [1, 2, 3].map(|id| Wine {
        id,
        scores: [id as f32; 2],
    });
    let blob = Blob::of_array(&ArrayView1::from(&wines[..])).unwrap();
    assert_eq!(blob.view::<Wine, _>(3).unwrap().to_vec(), wines);
    let length = |expected| ViewError::Length {
        expected,
        found: 48,
    };
    assert_eq!(blob.view::<Wine, _>(2), Err(length(32)));
    assert_eq!(blob.view::<Wine, _>((2, 2)), Err(length(64)));
    assert_eq!(blob.view::<f64, _>((7, 0)), Err(length(0)));
    assert_eq!(blob.view::<(), _>(48), Err(length(0)));
    for shape in [
        (usize::MAX, 2),
        (1 << 40, 1 << 20),
        (isize::MAX as usize, 1),
    ] {
        assert_eq!(blob.view::<f64, _>(shape), Err(ViewError::TooLarge));
        let made = Blob::filled_array::<f64, _>(shape, |_| Ok(())).unwrap_err();
        assert_eq!(made.kind(), io::ErrorKind::InvalidInput);
    }
    // With an odd number of pages in between, some begin at an odd one.
    let blobs = [32, 33, 32, 33, 32, 33, 32].map(|pages| Blob::filled(pages * 4096, |_| Ok(())));
    for blob in blobs.into_iter().step_by(2).map(Result::unwrap) {
        let error = blob.view::<Wide, _>(16).err();
        let is_aligned = blob.as_ptr().addr().is_multiple_of(8192);
        let refused = ViewError::Alignment { align: 8192 };
        assert_eq!(error, (!is_aligned).then_some(refused));
    }
}
