//! Large values that workers map instead of being sent them.

use std::process;

use mt_pool::Blob;
use mt_test_kit::{blob_descriptors, own_bytes};
use serde::{Deserialize, Serialize};

use crate::{platform, prelude::*};

const COLUMN_BYTES: usize = 32 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    folder: Folder,
    columns: Vec<Blob>,
}

impl Table {
    /// Two columns, whose bytes tell which and where they are.
    fn of(folder: &Folder, salt: u8) -> Self {
        let column = |number: u8| {
            let fill = |bytes: &mut [u8]| {
                for (at, byte) in bytes.iter_mut().enumerate().step_by(4096) {
                    *byte = (at / 4096) as u8 ^ number ^ salt;
                }
                Ok(())
            };
            Blob::filled(COLUMN_BYTES, fill).unwrap()
        };
        Self {
            folder: folder.clone(),
            columns: vec![column(1), column(2)],
        }
    }

    fn bytes(&self, n: u64) -> Vec<u8> {
        let at = n as usize * 4096;
        self.columns.iter().map(|column| column[at]).collect()
    }
}

/// The process, a byte of each column, and the memory of its own that it has.
type Looked = (u32, Vec<u8>, u64);

/// Item 7 dies at its first try.
#[task]
fn looks(#[shared] table: &Table, n: u64) -> Looked {
    if n == 7 && table.folder.first("died") {
        process::abort();
    }
    let is_mapped = |column: &Blob| column.is_mapped() == platform::MAPS_BLOBS;
    assert!(table.columns.iter().all(is_mapped));
    let sum = |column: &Blob| {
        column
            .iter()
            .step_by(4096)
            .map(|&byte| u64::from(byte))
            .sum()
    };
    let sums: Vec<u64> = table.columns.iter().map(sum).collect();
    assert_eq!(sums[0], sums[1], "each byte as often");
    (process::id(), table.bytes(n), own_bytes())
}

/// Also by those that replace a dead one, and by those that do another run.
#[test_with(alone)]
fn a_large_shared_value_is_mapped_by_all_workers() {
    let pool = Pool::builder().processes(2).start().unwrap();
    for salt in [16, 32] {
        let folder = Folder::temp();
        let table = Table::of(&folder, salt);
        let expected: Vec<_> = (0..100).map(|n| table.bytes(n)).collect();
        let run = asyn_pmap::<looks>(0..100).processes(2).shared(table);
        let looked = values(run.pool(&pool));
        let pids: BTreeSet<u32> = looked.iter().map(|(pid, ..)| *pid).collect();
        assert!(pids.len() > 1, "some died");
        assert!(looked.iter().map(|(_, bytes, _)| bytes).eq(&expected));
        let most = looked.iter().map(|(.., own)| *own).max();
        let is_small = most.unwrap() < COLUMN_BYTES as u64;
        assert!(is_small || !platform::MAPS_BLOBS, "{most:?}");
    }
    drop(pool);
    no_blob_is_left();
}

/// What crosses in both directions: some of it beside the other bytes, some among them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Parcel {
    number: u64,
    folder: Option<Folder>,
    contents: Vec<Blob>,
}

const PAGE: usize = 4096;
/// How many blobs cross that are larger than a gibibyte: one where each is read into memory, twice.
const HUGE_BLOBS: u64 = if platform::MAPS_BLOBS { 3 } else { 1 };

/// Bytes that tell whose they are.
pub(crate) fn blob(number: u64, len: usize) -> Blob {
    let fill = |bytes: &mut [u8]| {
        bytes
            .chunks_mut(PAGE)
            .for_each(|page| page[0] = number as u8);
        Ok(())
    };
    Blob::filled(len, fill).unwrap()
}

impl Parcel {
    /// Every third has none, and others different ones.
    fn of(number: u64) -> Self {
        let sizes: &[usize] = match number % 3 {
            0 => &[],
            1 => &[3 * Blob::FILE_BYTES],
            _ => &[5, Blob::FILE_BYTES, 2 * Blob::FILE_BYTES],
        };
        Self {
            number,
            folder: None,
            contents: sizes.iter().map(|&len| blob(number, len)).collect(),
        }
    }

    fn check(&self) {
        for blob in &self.contents {
            let is_mapped = platform::MAPS_BLOBS && blob.len() >= Blob::FILE_BYTES;
            assert_eq!(blob.is_mapped(), is_mapped);
            assert!(blob.chunks(PAGE).all(|page| page[0] == self.number as u8));
        }
    }

    /// The same one, and one that is made here.
    fn answered(mut self) -> Result<Self, Self> {
        self.check();
        self.contents.push(blob(self.number, Blob::FILE_BYTES + 1));
        match self.number % 5 {
            4 => Err(self),
            _ => Ok(self),
        }
    }

    fn expected(number: u64) -> Result<Self, Self> {
        Self::of(number).answered()
    }
}

#[task]
fn answers(parcel: Parcel) -> Result<Parcel, Parcel> {
    if parcel
        .folder
        .as_ref()
        .is_some_and(|folder| folder.first(&parcel.number.to_string()))
    {
        process::abort();
    }
    parcel.answered()
}

#[task]
async fn answers_later(parcel: Parcel) -> Result<Parcel, Parcel> {
    tokio::task::yield_now().await;
    parcel.answered()
}

#[task]
fn answers_by_number(number: u64) -> Result<Parcel, Parcel> {
    Parcel::expected(number)
}

type Answer = Outcome<answers>;

/// Each is what was made of its item, and mapped.
fn check_answers(outcomes: impl IntoIterator<Item = Answer>) {
    (0..).zip(outcomes).for_each(check_answer);
}

fn check_answer((number, outcome): (u64, Answer)) {
    let answer = outcome.map_err(TaskError::into_kind);
    let (Ok(parcel) | Err(TaskErrorKind::Raised(parcel))) = &answer else {
        panic!("{answer:?}");
    };
    parcel.check();
    let expected = Parcel::of(number).answered();
    assert_eq!(answer.is_ok(), expected.is_ok());
    let (Ok(expected) | Err(expected)) = expected;
    assert_eq!(
        (&parcel.contents, parcel.number),
        (&expected.contents, number)
    );
}

pub(crate) fn no_blob_is_left() {
    wait_until(|| blob_descriptors() == 0);
}

/// Of items, results and errors; from inputs of all kinds, beside values that have none.
#[test_with(alone)]
fn blobs_of_items_and_results_are_mapped() {
    let items = 60;
    let parcels = move || (0..items).map(Parcel::of);
    let in_memory: Vec<_> = parcels().collect();
    let stream = futures::stream::iter(in_memory.clone());
    let streamed = asyn_pmap(mt_pool::from_stream(stream));
    let retries = Retries::new(1).only_if(|error: &Parcel| {
        error.check();
        false
    });
    let kept = asyn_pmap::<answers>(parcels())
        .retries(retries)
        .keep_items();
    for run in [
        asyn_pmap(parcels()),
        asyn_pmap(in_memory).ordered(false),
        streamed,
        kept,
    ] {
        check_answers(complete(run.processes(2), items).outcomes);
    }
    check_answers(complete(asyn_pmap::<answers_later>(parcels()).processes(2), items).outcomes);
    let works = WorkIterator::<answers_by_number>::builder()
        .processes(2)
        .start()
        .unwrap();
    let answers = works.iter().take(items as usize);
    answers.map(Result::unwrap).for_each(check_answer);
    drop(works);
    no_blob_is_left();
}

/// The next try gets the same ones, and what is given up is given back with them. Nobody keeps a descriptor.
#[test_with(alone)]
fn a_death_loses_no_blob() {
    for crash_limit in [1, 3] {
        let folder = Folder::temp();
        let parcels = (0..30).map(|number| Parcel {
            folder: (number % 10 == 2).then(|| folder.clone()),
            ..Parcel::of(number)
        });
        let parcels: Vec<_> = parcels.collect();
        let run = asyn_pmap::<answers>(parcels.clone())
            .processes(2)
            .crash_limit(crash_limit);
        for (number, outcome) in complete(run, 30).outcomes.into_iter().enumerate() {
            match outcome.as_ref().map_err(TaskError::kind) {
                Ok(_) | Err(TaskErrorKind::Raised(_)) => {
                    check_answer((number as u64, outcome));
                    continue;
                }
                Err(TaskErrorKind::Crashed { .. }) => {
                    assert!(number % 10 == 2 && crash_limit == 1);
                }
                // Finished, and not reported when another one killed the worker.
                Err(other) => assert_is!(other, TaskErrorKind::OutcomeLost { .. }),
            }
            let item: Parcel = outcome.unwrap_err().item().unwrap().unwrap();
            assert_eq!(item.contents, parcels[number].contents);
            item.check();
        }
        drop(parcels);
        no_blob_is_left();
    }
}

/// A limit that is set counts blobs, like the bytes that they are; the default ones let them pass.
#[test_with(alone)]
fn blobs_count_where_a_limit_is_set() {
    let len = 4 * Blob::FILE_BYTES;
    for (limits, expected) in [
        (ByteLimits::new(), true),
        (ByteLimits::new().max_item_bytes(len), false),
        (ByteLimits::new().max_result_bytes(len), false),
        (
            ByteLimits::new()
                .max_item_bytes(len + 100)
                .max_result_bytes(len + 100),
            true,
        ),
        // More than may wait, alone.
        (ByteLimits::new().buffer_bytes(1), true),
    ] {
        let run = asyn_pmap::<same>((0..4).map(move |n| blob(n, len)));
        for outcome in complete(run.processes(2).byte_limits(limits), 4).outcomes {
            match outcome {
                Ok(blob) => assert!(expected && blob.is_mapped() == platform::MAPS_BLOBS),
                Err(error) => {
                    assert_is!(error.kind(), TaskErrorKind::TooLarge { .. });
                    assert!(!expected);
                }
            }
        }
    }
    no_blob_is_left();
}

#[task]
fn same(blob: Blob) -> Blob {
    blob
}

#[task]
fn is_as_large(blob: Blob) -> (Blob, u64) {
    let ends = [blob[0], blob[blob.len() - 1]];
    assert_eq!(ends, [1, 1]);
    (blob, blob_descriptors() as u64)
}

#[task]
fn descriptors_here(_: u64) -> u64 {
    blob_descriptors() as u64
}

/// More than a frame may have, there and back again; and a worker keeps no descriptor of what has passed.
#[test_with(alone)]
fn a_blob_may_be_larger_than_a_gibibyte() {
    let pool = Pool::builder().processes(1).keep(1).start().unwrap();
    let large = |_| {
        let fill = |bytes: &mut [u8]| {
            let last = bytes.len() - 1;
            (bytes[0], bytes[last]) = (1, 1);
            Ok(())
        };
        Blob::filled((1 << 30) + 5, fill).unwrap()
    };
    let run = asyn_pmap::<is_as_large>((0..HUGE_BLOBS).map(large)).pool(&pool);
    for (blob, there) in values(run) {
        assert_eq!((blob.len(), blob[0], there), ((1 << 30) + 5, 1, 1));
    }
    assert_eq!(values(asyn_pmap::<descriptors_here>([0]).pool(&pool)), [0]);
    drop(pool);
    no_blob_is_left();
}
