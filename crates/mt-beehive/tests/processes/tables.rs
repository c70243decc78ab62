//! Large tables that bees are made of: mapped by each, and sent to none.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    process,
    sync::Arc,
};

use arrow_array::{RecordBatch, StringArray, cast::AsArray};
use futures::future::{join_all, try_join, try_join_all};
use mt_beehive::{BeehiveRun, Blob, DelegateError, Hive, beehive_run, hive_of};
use mt_test_kit::{blob_descriptors, own_bytes};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::scene::{
    Folder, Live as _, block_on, both_ways, check, ready_bees, test_with, wait_until,
};

const COLUMN_BYTES: usize = 32 << 20;
const PAGE: usize = 4096;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Table {
    name: String,
    columns: Vec<Blob>,
    /// Too few bytes to be a file.
    legend: Blob,
}

impl Table {
    /// Two columns, whose bytes tell which and where they are.
    fn new() -> Self {
        let column = |number: u8| {
            let fill = |bytes: &mut [u8]| {
                for (at, page) in bytes.chunks_mut(PAGE).enumerate() {
                    page[0] = at as u8 ^ number;
                }
                Ok(())
            };
            Blob::filled(COLUMN_BYTES, fill).unwrap()
        };
        Self {
            name: "wines".into(),
            columns: vec![column(1), column(2)],
            legend: Blob::copy_of(b"red, white").unwrap(),
        }
    }

    /// Reads all of it: what is in one byte of each page, in its order.
    fn seen(&self) -> Seen {
        assert_eq!(
            (&self.name[..], &self.legend[..]),
            ("wines", &b"red, white"[..])
        );
        let mut digests = self.columns.iter().map(|column| {
            assert!(column.is_mapped());
            let pages = column.chunks(PAGE).map(|page| u64::from(page[0]));
            pages.fold(7, |digest, byte| digest * 31 % 1_000_003 + byte)
        });
        Seen {
            pid: process::id(),
            digests: [digests.next().unwrap(), digests.next().unwrap()],
            files: files(),
            own_bytes: own_bytes(),
        }
    }
}

/// What a process sees of a table, and what it costs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    pid: u32,
    digests: [u64; 2],
    /// The files of blobs that are mapped.
    files: Vec<String>,
    own_bytes: u64,
}

/// The files of blobs that this process has mapped, by their numbers, which are the same in every process.
fn files() -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let blobs = maps.lines().filter(|line| line.contains("mt-blob"));
    let mut all: Vec<_> = blobs
        .filter_map(|line| line.split_whitespace().nth(4))
        .map(str::to_owned)
        .collect();
    all.sort_unstable();
    all
}

/// A bee that is made of a table.
struct Keeper(Table);

#[mt_beehive::worker]
impl Keeper {
    fn new(table: Table) -> Self {
        Self(table)
    }

    /// Waits until so many have come, each in a bee of its own.
    #[task]
    fn look(&self, folder: Folder, bees: usize) -> Seen {
        folder.note("looks", 0);
        wait_until(|| folder.noted("looks").len() >= bees);
        self.0.seen()
    }

    /// Dies at its first try.
    #[task]
    async fn look_after_a_death(&self, folder: Folder) -> Seen {
        if folder.first("died") {
            process::abort();
        }
        self.0.seen()
    }

    /// Tries whatever may change what others see. Tells what worked.
    #[task]
    async fn spoil(&self) -> Vec<String> {
        let column = &self.0.columns[0];
        let worked = |(what, tried): (&str, io::Result<usize>)| tried.ok().map(|_| what.to_owned());
        let file = || {
            let descriptors = mt_test_kit::descriptors().into_iter();
            let mut blobs =
                descriptors.filter(|(_, path)| path.to_string_lossy().contains("mt-blob"));
            let (fd, _) = blobs.next().unwrap();
            OpenOptions::new()
                .write(true)
                .open(format!("/proc/self/fd/{fd}"))
        };
        let memory =
            || -> io::Result<File> { OpenOptions::new().write(true).open("/proc/self/mem") };
        let tries = [
            (
                "to write to the file",
                file().and_then(|it| it.write_at(&[0xff; PAGE], 0)),
            ),
            (
                "to shorten it",
                file().and_then(|it| it.set_len(0)).map(|()| 0),
            ),
            (
                "to lengthen it",
                file().and_then(|it| it.set_len(1 << 40)).map(|()| 0),
            ),
            (
                "to write to its memory",
                memory().and_then(|it| it.write_at(&[0xff; PAGE], column.as_ptr().addr() as u64)),
            ),
        ];
        tries.into_iter().filter_map(worked).collect()
    }
}

fn keepers(table: &Table) -> BeehiveRun<Keeper> {
    hive_of::<Keeper>(table.clone()).processes(2)
}

async fn looked_at_by_both(hive: &Hive<Keeper>) -> Vec<Seen> {
    ready_bees(hive, 2).await;
    let folder = Folder::temp();
    let looks = (0..2).map(|_| hive.look(folder.clone(), 2));
    try_join_all(looks).await.unwrap()
}

/// Both see the same table in the very same files, and the bee has next to nothing besides.
fn is_mapped_alike(here: &Seen, there: &Seen) {
    assert_ne!(here.pid, there.pid);
    assert_eq!(here.digests, there.digests);
    assert_eq!(here.files, there.files);
    assert!(there.own_bytes < COLUMN_BYTES as u64, "{there:?}");
}

/// Case M223: A large table that bees are made of is mapped by each, also by one that replaces a dead one, and nothing of it is left behind.
#[test_with(check)]
fn a_table_is_mapped_by_all_bees_and_by_who_replaces_one() {
    let table = Table::new();
    let here = table.seen();
    assert_eq!(here.files.len(), 2);
    both_ways(
        || keepers(&table),
        async |hive| {
            let before = looked_at_by_both(&hive).await;
            assert_ne!(before[0].pid, before[1].pid);
            let folder = Folder::temp();
            let replaced = hive.look_after_a_death(folder.clone()).await.unwrap();
            let after = looked_at_by_both(&hive).await;
            let old = |seen: &&Seen| before.iter().all(|one| one.pid != seen.pid);
            assert!(after.iter().any(|seen| old(&seen)), "one died");
            let all = before.iter().chain([&replaced]).chain(&after);
            all.for_each(|there| is_mapped_alike(&here, there));
        },
    );
    // The hive has had its own descriptors, and the bees are gone.
    assert_eq!(blob_descriptors(), 2);
    drop(table);
    assert_eq!((blob_descriptors(), files()), (0, vec![]));
}

/// Case M224: A table that its maker has dropped is there as long as the hive is, at no cost of memory to its process, and no longer.
#[test_with(check)]
fn a_table_lives_as_long_as_its_hive() {
    let table = Table::new();
    let digests = table.seen().digests;
    let run = hive_of::<Keeper>(table).processes(1);
    block_on(run.live(async |hive| {
        assert_eq!((blob_descriptors(), files()), (2, vec![]));
        let seen = hive.look_after_a_death(Folder::temp().clone()).await;
        assert_eq!(seen.unwrap().digests, digests);
    }));
    wait_until(|| blob_descriptors() == 0);
}

/// Case M225: A bee can't change what others see of a table.
#[test_with(check)]
fn a_bee_cannot_change_what_others_see() {
    let table = Table::new();
    let here = table.seen();
    both_ways(
        || keepers(&table),
        async |hive| {
            ready_bees(&hive, 2).await;
            let spoils = join_all((0..8).map(|_| hive.spoil())).await;
            for worked in spoils {
                assert_eq!(worked, Ok(vec![]));
            }
            for there in looked_at_by_both(&hive).await {
                is_mapped_alike(&here, &there);
            }
        },
    );
    assert_eq!(table.seen().digests, here.digests);
}

/// A bee that keeps keepers, who are made of the table that she is made of.
struct Librarian(Table);

#[mt_beehive::worker(worker = Keeper)]
impl Librarian {
    fn new(table: Table) -> Self {
        Self(table)
    }

    fn hive(&self) -> BeehiveRun<Keeper> {
        keepers(&self.0)
    }

    /// What she sees, and what her bees do.
    #[task]
    async fn look_at_all(&self, hive: &Hive<Keeper>) -> Vec<Seen> {
        let mut all = looked_at_by_both(hive).await;
        all.push(self.0.seen());
        all
    }
}

/// Case M226: A bee that passes her table on to her own bees passes on the same one.
#[test_with(check)]
fn a_table_is_passed_on_to_the_bees_of_a_bee() {
    let table = Table::new();
    let here = table.seen();
    let run = hive_of::<Librarian>(table).processes(1);
    let all = block_on(run.live(async |hive| hive.look_at_all().await.unwrap()));
    assert_eq!(all.len(), 3);
    all.iter().for_each(|there| is_mapped_alike(&here, there));
    wait_until(|| blob_descriptors() == 0);
}

/// A bee that is made of numbers, and of a table of Arrow.
struct Taster {
    scores: Blob,
    wines: Blob,
}

/// The scores: so many wines and judges.
const SHAPE: (usize, usize) = (20_000, 5);

#[mt_beehive::worker]
impl Taster {
    fn new(scores: Blob, wines: Blob) -> Self {
        Self { scores, wines }
    }

    /// The sum of a wine's scores.
    #[task]
    async fn scored(&self, wine: usize) -> f64 {
        let scores: ArrayView2<'_, f64> = self.scores.view(SHAPE).unwrap();
        assert_eq!(scores.as_ptr().addr(), self.scores.as_ptr().addr());
        scores.row(wine).sum()
    }

    /// The name of a wine.
    #[task]
    async fn named(&self, wine: usize) -> String {
        let batches = self.wines.record_batches().unwrap();
        let names = batches[0]["name"].as_string::<i32>();
        let bytes = self.wines.as_ptr_range();
        let is_there = |place: *const u8| bytes.contains(&place);
        assert!(is_there(names.values().as_ptr()) && self.wines.is_mapped());
        names.value(wine).to_owned()
    }
}

/// A queen whose bees know her wines.
#[derive(Default)]
struct Sommelier;

#[mt_beehive::queen(worker = Taster)]
impl Sommelier {
    /// What is told of a wine.
    #[task]
    async fn tell(&self, hive: &Hive<Taster>, wine: usize) -> Result<String, DelegateError> {
        let (name, score) = try_join(hive.named(wine), hive.scored(wine)).await?;
        Ok(format!("{name}: {score}"))
    }
}

/// Case M222: Bees see a queen's array and her table of Arrow as such, in the memory that is mapped, with nothing copied.
#[test_with(check)]
fn bees_see_a_queens_array_and_her_table() {
    let scores = Array2::from_shape_fn(SHAPE, |(wine, judge)| (wine * judge) as f64);
    let scores = Blob::of_array(&scores).unwrap();
    let names = (0..SHAPE.0).map(|wine| Some(format!("wine {wine}")));
    let names: StringArray = names.collect();
    let wines = RecordBatch::try_from_iter([("name", Arc::new(names) as _)]).unwrap();
    let wines = Blob::of_record_batches(&wines.schema(), [&wines]).unwrap();
    let run = beehive_run::<Sommelier>((), (scores, wines)).processes(2);
    let told = run.run(async |queen| {
        let all = [3, 19_999].map(|wine| queen.tell(wine));
        try_join_all(all).await
    });
    let told = block_on(told).unwrap();
    assert_eq!(told, ["wine 3: 30", "wine 19999: 199990"]);
}
