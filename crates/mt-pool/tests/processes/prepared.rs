//! Tasks that are prepared for a pool's calls: what these share, and how often it crosses.

use std::process;

use futures::{future::join_all, poll};
use mt_pool::{Blob, Context, StartError, calls::PreparedTask, error::ContextStep};
use mt_test_kit::blob_descriptors;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{platform::MAPS_BLOBS, prelude::*};

/// A shared value that notes where it is read.
#[derive(Debug, Serialize)]
struct Noting {
    folder: Folder,
    number: u64,
}

impl<'de> Deserialize<'de> for Noting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Plain {
            folder: Folder,
            number: u64,
        }
        let Plain { folder, number } = Plain::deserialize(deserializer)?;
        folder.note("read", number);
        Ok(Self { folder, number })
    }
}

/// The process, and what its calls share; dies at the first 7.
#[task]
fn adds(#[shared] noting: &Noting, n: u64) -> (u32, u64) {
    if n == 7 && noting.folder.first("died") {
        process::abort();
    }
    (process::id(), noting.number + n)
}

#[task]
async fn adds_async(#[shared] noting: &Noting, n: u64) -> (u32, u64) {
    tokio::task::yield_now().await;
    (process::id(), noting.number + n)
}

fn pool(workers: usize) -> Pool {
    Pool::builder().processes(workers).start().unwrap()
}

fn noting<T: Task<Shared = Noting>>(pool: &Pool, folder: &Folder, number: u64) -> PreparedTask<T> {
    let folder = folder.clone();
    let shared = Noting { folder, number };
    pool.task::<T>().shared(shared).prepare().unwrap()
}

/// Case M242: What a prepared task's calls share is read once in each worker, also in one that replaces a dead one, and is never
/// that of another prepared task, however they come.
#[test_with(in_folder)]
fn what_is_shared_crosses_once_for_each_worker(folder: Folder) {
    let pool = pool(2);
    let one = noting::<adds>(&pool, &folder, 1000);
    let two = noting::<adds>(&pool, &folder, 2000);
    let three = noting::<adds_async>(&pool, &folder, 3000);
    assert!(folder.noted("read").is_empty(), "nobody has called them");
    let outcomes = block_on(join_all((0..600).map(|n| {
        let (one, two, three) = (one.clone(), two.clone(), three.clone());
        async move {
            match n % 3 {
                0 => one.call(n).await,
                1 => two.call(n).await,
                _ => three.call(n).await,
            }
        }
    })));
    let mut pids = BTreeSet::new();
    for (n, outcome) in (0..).zip(outcomes) {
        let (pid, sum) = outcome.unwrap();
        pids.insert(pid);
        assert_eq!(sum, n + 1000 * (n % 3 + 1));
    }
    let read = folder.noted("read");
    for number in [1000, 2000, 3000] {
        let times = read.iter().filter(|one| **one == number).count();
        assert!((1..=pids.len() + 1).contains(&times), "{read:?}");
    }
    assert!(folder.exists("died"), "7 is one of the second's");
}

struct Door {
    folder: Folder,
    number: u64,
}

impl Context for Door {
    type Config = (Folder, u64);
    type Error = String;

    async fn open((folder, number): &Self::Config) -> Result<Self, String> {
        if *number == 13 {
            return Err("no".to_owned());
        }
        folder.note("opened", *number);
        Ok(Self {
            folder: folder.clone(),
            number: *number,
        })
    }

    async fn close(self) -> Result<(), String> {
        self.folder.note("closed", self.number);
        Ok(())
    }
}

#[task]
fn through(#[context] door: &Door, n: u64) -> u64 {
    door.number + n
}

/// Goes on until the folder has a file named `go`.
#[task]
async fn stays_in(#[context] door: &Door, _: ()) -> u64 {
    door.folder.note("inside", door.number);
    while !door.folder.exists("go") {
        tokio::time::sleep(Duration::from_millis(1)).await; // work: until it is told to end
    }
    assert!(!door.folder.noted("closed").contains(&door.number));
    door.number
}

fn door<T: Task<Shared = (), Context = Door>>(
    pool: &Pool,
    folder: &Folder,
    number: u64,
) -> PreparedTask<T> {
    let builder = pool.task::<T>().context((folder.clone(), number));
    builder.prepare().unwrap()
}

/// Case M243: A worker keeps the contexts of 16 prepared tasks, and closes that of the one which was not called for longest, but
/// not before its last call has ended.
#[test_with(in_folder)]
fn the_least_recently_called_is_closed(folder: Folder) {
    let pool = pool(1);
    let held = door::<stays_in>(&pool, &folder, 100);
    let staying = held.call(()).spawn();
    wait_until(|| !folder.noted("inside").is_empty());
    let doors: Vec<_> = (200..220)
        .map(|n| door::<through>(&pool, &folder, n))
        .collect();
    for door in &doors[..15] {
        door.call(1).wait().unwrap();
    }
    assert!(folder.noted("closed").is_empty(), "there are 16");
    for (n, door) in (200..).zip(&doors).skip(15) {
        assert_eq!(door.call(1).wait().unwrap(), n + 1);
    }
    assert_eq!(folder.noted("closed"), [200, 201, 202, 203]);
    assert_eq!(doors[0].call(1).wait().unwrap(), 201, "it is opened again");
    assert_eq!(doors[19].call(1).wait().unwrap(), 220);
    assert_eq!(folder.noted("closed"), [200, 201, 202, 203, 204]);
    folder.note("go", 0);
    assert_eq!(staying.wait().unwrap(), 100);
    wait_until(|| folder.noted("closed").contains(&100));
    assert_eq!(folder.noted("opened").len(), 22);
    drop(doors);
}

/// A shared value that only one side understands.
#[derive(Debug, Serialize)]
struct Broken(u64);

impl<'de> Deserialize<'de> for Broken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            0 => panic!("zero"),
            other => Err(serde::de::Error::custom(format!("{other} is no good"))),
        }
    }
}

#[task]
fn never(#[shared] _broken: &Broken, n: u64) -> u64 {
    n
}

/// Case M244: A shared value that does not decode in a worker, or panics there, and a context that does not open are the typed
/// outcome of each call of their task, and cost no worker and no other call; what is not given, or does not encode, is an
/// error of the preparation.
#[test_with(in_folder)]
fn what_fails_is_the_outcome_of_its_own_calls(folder: Folder) {
    let pool = pool(1);
    let good = noting::<adds>(&pool, &folder, 1000);
    let (process, _) = good.call(1).wait().unwrap();
    for (value, words) in [(0, "zero"), (3, "3 is no good")] {
        let bad = pool
            .task::<never>()
            .shared(Broken(value))
            .prepare()
            .unwrap();
        for _ in 0..2 {
            let error = bad.call(5).wait().unwrap_err();
            let told = matches!(error.kind(), TaskErrorKind::Undecodable(why) if why.contains(words) && why.contains("shared"));
            assert!(told, "{error}");
        }
    }
    let shut = door::<through>(&pool, &folder, 13);
    for _ in 0..2 {
        let error = shut.call(1).wait().unwrap_err();
        let step = ContextStep::Open;
        assert!(
            matches!(error.kind(), TaskErrorKind::Context { step: found, message } if *found == step && message == "no"),
            "{error}"
        );
    }
    assert_eq!(good.call(2).wait().unwrap(), (process, 1002));
    assert_eq!(folder.noted("read"), [1000]);

    assert_eq!(refused(pool.task::<adds>().prepare()).0, "shared");
    assert_eq!(refused(pool.task::<through>().prepare()).0, "context");
    let error = pool.call::<through>(1).wait().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::NotStarted(_)));
    let odd = pool.task::<takes_even>().shared(Even(1)).prepare();
    assert!(matches!(
        odd,
        Err(StartError::Value {
            option: "shared",
            ..
        })
    ));
}

#[task]
fn takes_even(#[shared] even: &Even, n: u64) -> u64 {
    even.0 + n
}

const LARGE: usize = 8 << 20;

#[task]
fn byte_of(#[shared] blobs: &[Blob], at: usize) -> (bool, u8) {
    (blobs[1].is_mapped(), blobs[1][at])
}

/// Case M245: A blob that calls share is mapped by each worker and copied to none, also by one that replaces a dead one.
#[test_with(alone)]
fn a_blob_that_calls_share_is_mapped() {
    let pool = pool(1);
    let shared = [1, 2].map(|byte| {
        let fill = |bytes: &mut [u8]| {
            bytes.fill(byte);
            Ok(())
        };
        Blob::filled(LARGE, fill).unwrap()
    });
    let builder = pool.task::<byte_of>().shared(shared.into());
    let prepared = builder.prepare().unwrap();
    for _ in 0..2 {
        assert_eq!(prepared.call(LARGE - 1).wait().unwrap(), (MAPS_BLOBS, 2));
        let [worker] = children()[..] else {
            panic!("one worker");
        };
        signal(worker, Signal::KILL);
        wait_until_gone(&[worker]);
    }
    assert_eq!(prepared.call(5).wait().unwrap(), (MAPS_BLOBS, 2));
    drop((prepared, pool));
    wait_until(|| blob_descriptors() == 0);
}

/// Case M246: A call of a prepared task that is given up while it waits is not made, and its error has its item without what
/// stands before it.
#[test_with(in_folder)]
fn calls_of_prepared_tasks_end_like_all_others(folder: Folder) {
    let builder = Pool::builder().processes(1).crash_limit(1);
    let pool = builder.start().unwrap();
    let adds = noting::<adds>(&pool, &folder, 1000);
    let error = adds.call(7).wait().unwrap_err();
    assert!(
        matches!(error.kind(), TaskErrorKind::Crashed { .. }),
        "{error}"
    );
    assert_eq!(error.item::<u64>().unwrap().unwrap(), 7);
    block_on(async {
        let mut call = adds.call(1).into_future();
        assert!(poll!(&mut call).is_pending());
    });
    assert_eq!(adds.call(2).wait().unwrap().1, 1002);
}
