//! Items that wait for too long and are not started any more.

use std::{
    collections::BTreeSet,
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use mt_pool::{AsynPmap, Deadline, PoolEvent, Task, asyn_pmap, task};
use mt_test_kit::{Folder, wait_until};

use super::{LONG, is_timeout};
use crate::scene::check;

#[task]
fn holds_the_place(#[shared] folder: &Folder, n: u64) -> u64 {
    folder.note("started", n);
    while n == 0 && !folder.exists("go") {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    n
}

#[task]
async fn holds_the_place_async(#[shared] folder: &Folder, n: u64) -> u64 {
    folder.note("started", n);
    while n == 0 && !folder.exists("go") {
        tokio::time::sleep(Duration::from_millis(1)).await; // work: goes on until it is told to end
    }
    n
}

/// One item has the only place; all others wait for too long and are never started. `waiting` of them
/// have their outcomes before that item has.
fn all_wait_but_one<T>(
    run: impl Fn(Box<dyn Iterator<Item = u64> + Send>) -> AsynPmap<T>,
    waiting: usize,
) where
    T: Task<Input = u64, Output = u64, Shared = Folder>,
    T::Error: std::fmt::Debug,
{
    let folder = Folder::temp();
    let ready = Arc::new(AtomicBool::new(false));
    let (told, started) = (Arc::clone(&ready), folder.clone());
    // The place is taken before the others come, and its worker is there before it is.
    let items = (0..20).inspect(move |&n| {
        wait_until(|| ready.load(Ordering::SeqCst));
        wait_until(|| n == 0 || started.exists("started"));
    });
    let run = run(Box::new(items)).shared(folder.clone());
    let run = run.observe(move |event| {
        if let PoolEvent::WorkerReady { .. } = event {
            told.store(true, Ordering::SeqCst);
        }
    });
    let run = run.pool_processes(1).min_processes(1).pool_ordered(false);
    let mut run = run
        .queue_deadline(LONG)
        .start()
        .unwrap()
        .indexed()
        .into_iter();
    let mut late = BTreeSet::new();
    while late.len() < waiting {
        let (index, outcome) = run.next().unwrap();
        is_timeout(&outcome.unwrap_err(), Deadline::Queue, LONG);
        assert!(late.insert(index) && index > 0);
    }
    File::create(folder.file("go")).unwrap();
    let rest: Vec<_> = run.by_ref().collect();
    assert_eq!(rest.len() + waiting, 20);
    for (index, outcome) in rest {
        assert_eq!(outcome.is_ok(), index == 0);
    }
    assert_eq!(folder.noted("started"), [0]);
    assert!(run.run().dead_letters().letters().is_empty());
}

#[test]
fn what_waits_too_long_is_never_started() {
    check(|| {
        // One waits in the worker, which can't tell as long as it is busy.
        all_wait_but_one(asyn_pmap::<holds_the_place>, 18);
        // Here it can.
        all_wait_but_one(
            |items| asyn_pmap::<holds_the_place_async>(items).max_concurrency(1),
            19,
        );
    });
}
