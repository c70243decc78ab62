//! What a pool says of its calls.

use std::{
    fmt, hint,
    path::PathBuf,
    process, thread,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::join_all, poll};
use mt_pool::{
    Context, Pool, TaskError,
    stats::{CallOutcome, CallStats},
    task,
};
use mt_test_kit::{Folder, wait_until, watchdog};

use crate::{scene::block_on, tasks::Even};

#[task]
fn square(n: u64) -> u64 {
    n * n
}

#[task]
fn raises(n: u64) -> Result<u64, String> {
    Err(n.to_string())
}

#[task]
fn panics(n: u64) -> u64 {
    panic!("{n}")
}

#[task]
fn dies(_: ()) {
    process::abort()
}

#[task]
fn takes(even: Even) -> u64 {
    even.0
}

#[task]
fn gives(n: u64) -> Even {
    Even(n)
}

struct Closed;

impl Context for Closed {
    type Config = ();
    type Error = &'static str;

    async fn open((): &()) -> Result<Self, &'static str> {
        Err("closed")
    }

    fn default_config() -> Option<()> {
        Some(())
    }
}

#[task]
fn in_context(#[context] _closed: &Closed, n: u64) -> u64 {
    n
}

#[task]
fn for_ever(_: ()) {
    loop {
        hint::spin_loop();
    }
}

/// Goes on until the folder has a file named `go`.
#[task]
fn holds(folder: PathBuf) {
    while !Folder::at(&folder).exists("go") {
        thread::yield_now();
    }
}

fn calls(pool: &Pool) -> CallStats {
    pool.stats().calls
}

/// The outcomes that there are, with their numbers.
fn ended(stats: &CallStats) -> Vec<(&'static str, u64)> {
    let ended = stats.ended.iter().filter(|(_, count)| *count > 0);
    ended
        .map(|(outcome, count)| (outcome.name(), count))
        .collect()
}

fn fails<V, E: fmt::Debug>(outcome: Result<V, TaskError<E>>) {
    assert!(outcome.is_err());
}

/// What the calls of the test come to.
const EXPECTED: [(&str, u64); 10] = [
    ("value", 100),
    ("raised", 1),
    ("panicked", 1),
    ("crashed", 1),
    ("unserialisable", 2),
    ("context", 1),
    ("queue_timed_out", 1),
    ("timed_out", 1),
    ("cancelled", 2),
    ("not_started", 1),
];

/// Case M231: Every call that was made is counted once, by what it came to, before that is told; how long it took is
/// recorded unless it was refused at once, and its time in queue and worker if it ended in one.
#[test]
fn counts_add_up_after_every_outcome() {
    let _watchdog = watchdog("calls of every outcome");
    let begun = Instant::now();
    let builder = Pool::builder().processes(1).crash_limit(1);
    let pool = builder.start().unwrap();
    assert_eq!(calls(&pool), CallStats::default());
    for n in 0..100 {
        pool.call::<square>(n).wait().unwrap();
        assert_eq!(calls(&pool).ended.count(CallOutcome::Value), n + 1);
    }
    fails(pool.call::<raises>(1).wait());
    fails(pool.call::<panics>(1).wait());
    fails(pool.call::<dies>(()).wait());
    fails(pool.call::<takes>(Even(1)).wait());
    fails(pool.call::<gives>(1).wait());
    fails(pool.call::<in_context>(1).wait());
    let limit = Duration::from_millis(100);
    fails(pool.call::<for_ever>(()).deadline(limit).wait());
    let held = pool.call::<for_ever>(()).spawn();
    wait_until(|| calls(&pool).in_workers == 1);
    let short = Duration::from_millis(1);
    fails(pool.call::<square>(1).queue_deadline(short).wait());
    pool.call::<square>(1).into_future().now_or_never(); // dropped
    wait_until(|| calls(&pool).ended.count(CallOutcome::Cancelled) == 1);
    held.cancel();
    fails(held.wait());
    pool.close();
    fails(pool.call::<square>(1).wait());

    let stats = calls(&pool);
    assert_eq!(ended(&stats), EXPECTED);
    assert_eq!(stats.made, stats.ended.total());
    assert_eq!(
        (stats.waiting, stats.queued, stats.in_workers),
        (0, 0, 0),
        "all have ended"
    );
    assert_eq!(stats.latency.count(), stats.made - 2, "two were refused");
    let worked = stats.queue_time.count();
    assert_eq!(worked, stats.worker_time.count());
    // One has waited for too long, and one was refused before the queue; the one that was dropped may have been sent ahead.
    assert!((107..=108).contains(&worked), "{worked}");
    let longest = stats.latency.max().unwrap();
    assert!(longest >= limit && longest <= begun.elapsed());
    let inside = stats.queue_time.sum() + stats.worker_time.sum();
    assert!(inside <= stats.latency.sum() + Duration::from_micros(worked));
    assert_eq!(pool.stats().deaths.by_themselves, 1);
    assert_eq!(pool.stats().deaths.overran, 2);
}

/// Case M232: While calls wait and run, a pool says how many wait for a place, how many for a worker, and how many a worker has.
#[test]
fn gauges_say_where_calls_are() {
    let _watchdog = watchdog("calls that wait");
    let folder = Folder::temp();
    let pool = Pool::builder().processes(1).calls(4).start().unwrap();
    block_on(async {
        let mut running: Vec<_> = (0..4)
            .map(|_| pool.call::<holds>(folder.path().into()).into_future())
            .collect();
        for call in &mut running {
            assert!(poll!(call).is_pending());
        }
        let mut waiting: Vec<_> = (0..3)
            .map(|_| pool.call::<holds>(folder.path().into()).into_future())
            .collect();
        for call in &mut waiting {
            assert!(poll!(call).is_pending());
        }
        assert!(pool.try_call::<square>(1).is_err());
        wait_until(|| calls(&pool).in_workers > 0);
        let stats = calls(&pool);
        assert_eq!((stats.made, stats.waiting), (8, 3));
        assert_eq!(stats.queued + stats.in_workers, 4);
        assert_eq!(ended(&stats), [("full", 1)]);
        drop(waiting.pop());
        assert_eq!(calls(&pool).waiting, 2);
        folder.note("go", 1);
        for outcome in join_all(running.into_iter().chain(waiting)).await {
            outcome.unwrap();
        }
    });
    let stats = calls(&pool);
    assert_eq!(ended(&stats), [("value", 6), ("cancelled", 1), ("full", 1)]);
    assert_eq!((stats.made, stats.latency.count()), (8, 7));
    assert_eq!((stats.waiting, stats.queued, stats.in_workers), (0, 0, 0));
}
