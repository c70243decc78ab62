//! Workers that are replaced because they are old, large or worn, or let go because nobody needs them.

use std::{
    cell::RefCell,
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
};

use crate::prelude::*;

#[task]
fn pid_slow(n: u64) -> u64 {
    thread::sleep(Duration::from_micros(n % 3 * 500)); // work: some items take longer than others
    process_number()
}

#[task]
async fn pid_slow_async(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_micros(n % 3 * 500)).await; // work: waits as a task would
    process_number()
}

/// A number that no other process has: the system gives the ids of processes that are gone to others.
fn process_number() -> u64 {
    static NUMBER: OnceLock<u64> = OnceLock::new();
    *NUMBER.get_or_init(|| RandomState::new().hash_one(0))
}

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

#[task]
fn leaks(_: u64) -> u32 {
    KEPT.with_borrow_mut(|kept| kept.push(vec![1; 16 << 20]));
    std::process::id()
}

fn exact<T: Task<Input = u64, Output = u64, Error: Debug>>(processes: usize, items: u64) {
    let run = asyn_pmap::<T>(0..50).processes(processes);
    let shares = complete(run.recycle(Recycle::new().after_items(items)), 50).shares();
    assert!(shares.values().all(|&count| count <= items), "{shares:?}");
    assert!(shares.len() as u64 >= 50_u64.div_ceil(items));
}

/// Case M43: A worker gets no more items than `after_items`.
#[test_with(alone)]
fn after_so_many_items_exactly() {
    for (processes, items) in [(1, 1), (1, 7), (3, 4)] {
        exact::<pid_slow>(processes, items);
        exact::<pid_slow_async>(processes, items);
    }
}

/// Runs until five workers were started, for no other reason than `recycle`; nothing is lost by it.
fn goes_on<T: Task<Input = u64>>(recycle: Recycle, at_once: usize) {
    let census = Census::default();
    let seen = census.clone();
    let items = (0..).take_while(move |_| seen.counts().started < 5);
    let run = asyn_pmap::<T>(items).processes(2).recycle(recycle);
    let run = census.watch(run.capacity(100)).start().unwrap();
    let mut run = run.into_iter();
    assert!(run.by_ref().all(|outcome| outcome.is_ok()));
    assert_eq!(run.stats().workers_died, 0);
    let counts = census.counts();
    assert!(counts.living.is_empty());
    assert!(counts.most <= 2 + at_once, "{counts:?}");
}

/// Case M44: Workers are replaced at their age, the successor first, and nothing is lost by it.
#[test_with(alone)]
fn after_some_time() {
    for at_once in [1, 3] {
        let recycle = Recycle::new().after_age(Duration::from_millis(20));
        let recycle = recycle.at_once(at_once as u32);
        goes_on::<pid_slow>(recycle, at_once);
        goes_on::<pid_slow_async>(recycle, at_once);
    }
}

/// Case M45: Workers are replaced at their size, in the middle of nothing.
#[test_with(alone)]
fn when_they_are_large() {
    goes_on::<leaks>(Recycle::new().above_rss_bytes(64 << 20), 1);
}

/// Each item waits until all of its group are there.
#[task]
fn meets(#[shared] folder: &Folder, group: u64, size: usize) -> u32 {
    let name = format!("group-{group}");
    folder.note(&name, 1);
    while folder.noted(&name).len() < size {
        thread::sleep(Duration::from_millis(1)); // work: goes on until all are there
    }
    std::process::id()
}

/// Case M41: Idle workers go, but for the fewest, and come back when there is more to do.
#[test_with(in_folder)]
fn idle_workers_go_but_for_those_that_are_kept_and_come_back(folder: Folder) {
    let census = Census::default();
    let seen = census.clone();
    let items = (0..7).map(move |n| {
        match n {
            // Before anything is asked of them.
            0 => wait_until(|| seen.counts().ready == 1),
            3 | 6 => {
                let all = if n == 3 { 3 } else { 5 };
                wait_until(|| seen.counts().started == all);
                wait_until(|| seen.counts().living.len() == 1);
            }
            _ => {}
        }
        (n / 3, if n == 6 { 1 } else { 3 })
    });
    let run = asyn_pmap::<meets>(items).shared(folder.clone());
    let run = run.processes(1..=3);
    let run = run.recycle(Recycle::new().after_idle(Duration::from_millis(20)));
    let run = census.watch(run).start().unwrap();
    assert_eq!(run.into_iter().filter(Result::is_ok).count(), 7);
    let counts = census.counts();
    assert_eq!((counts.started, counts.most), (5, 3));
}

/// Case M40: The fewest `processes` are there before the first item.
#[test_with(alone)]
fn those_that_are_kept_are_there_before_the_first_item() {
    let census = Census::default();
    let seen = census.clone();
    let items = std::iter::once_with(move || {
        wait_until(|| seen.counts().ready == 3);
        1
    });
    let run = asyn_pmap::<pid>(items).processes(3..=3);
    assert_eq!(census.watch(run).start().unwrap().into_iter().count(), 1);
}

/// Crashes, age, quotas and idleness at the same time.
///
/// Case M42: There are never more workers than `processes`, and `at_once` that replace others.
#[test_with(alone)]
fn there_are_never_more_than_so_many() {
    for (processes, at_once) in [(1, 1), (2, 1), (3, 2)] {
        let deeds = (0..150).map(|n| match n % 29 {
            11 => Deed::Abort,
            17 => Deed::Exit(1),
            _ => Deed::Return(n),
        });
        let recycle = Recycle::new()
            .at_once(at_once)
            .after_items(10)
            .after_age(Duration::from_millis(15))
            .after_idle(Duration::from_millis(1));
        let run = asyn_pmap::<act>(deeds).processes(processes);
        let run = run.crash_limit(2).recycle(recycle).capacity(20);
        let census = Census::default();
        let outcomes: Vec<_> = census.watch(run).start().unwrap().into_iter().collect();
        assert_eq!(outcomes.len(), 150);
        let failed = outcomes.iter().filter(|outcome| outcome.is_err());
        assert_eq!(failed.count(), 10);
        let counts = census.counts();
        assert!(counts.most <= processes + at_once as usize, "{counts:?}");
    }
}
