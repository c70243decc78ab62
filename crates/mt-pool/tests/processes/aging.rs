//! Workers that are replaced because they are old, large or worn, or let go because nobody needs them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::Ordering},
    thread,
    time::Duration,
};

use mt_pool::{AsynPmap, Recycle, Task, asyn_pmap, task};
use mt_test_kit::Folder;

use crate::{
    census::Census,
    deed::{Deed, act},
    report::{Report, complete},
    scene::check,
};

#[task]
fn pid(n: u64) -> u32 {
    thread::sleep(Duration::from_micros(n % 3 * 500)); // work: some items take longer than others
    std::process::id()
}

#[task]
async fn pid_async(n: u64) -> u32 {
    tokio::time::sleep(Duration::from_micros(n % 3 * 500)).await; // work: waits as a task would
    std::process::id()
}

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

#[task]
fn leaks(_: u64) -> u32 {
    KEPT.with_borrow_mut(|kept| kept.push(vec![1; 16 << 20]));
    std::process::id()
}

/// The items of each worker.
fn shares<T: Task<Output = u32>>(report: &Report<T>) -> BTreeMap<u32, u64>
where
    T::Error: std::fmt::Debug,
{
    let mut shares = BTreeMap::new();
    for outcome in &report.outcomes {
        *shares.entry(*outcome.as_ref().unwrap()).or_insert(0) += 1;
    }
    shares
}

#[test]
fn after_so_many_items_exactly() {
    check(|| {
        for (processes, items) in [(1, 1), (1, 7), (3, 4)] {
            let after = Recycle::never().after_items(items);
            let exact = |counts: &BTreeMap<u32, u64>| {
                assert!(counts.values().all(|&count| count <= items), "{counts:?}");
                assert!(counts.len() as u64 >= 50_u64.div_ceil(items));
            };
            let run = asyn_pmap::<pid>(0..50).pool_processes(processes);
            exact(&shares(&complete(run.recycle(after), 50)));
            let run = asyn_pmap::<pid_async>(0..50).pool_processes(processes);
            exact(&shares(&complete(run.recycle(after), 50)));
        }
    });
}

/// An input that goes on until so many workers were started.
fn until_started(workers: i64) -> (Arc<Mutex<Option<Census>>>, impl Iterator<Item = u64> + Send) {
    let count: Arc<Mutex<Option<Census>>> = Arc::default();
    let seen = Arc::clone(&count);
    let items = (0..).take_while(move |_| {
        let count = seen.lock().unwrap();
        let started = count
            .as_ref()
            .map_or(0, |c| c.started.load(Ordering::SeqCst));
        started < workers
    });
    (count, items)
}

/// Runs until so many workers were started, for no other reason than `recycle`; nothing is lost by it.
fn goes_on<T: Task<Input = u64, Output = u32>>(
    run: impl FnOnce(Box<dyn Iterator<Item = u64> + Send>) -> AsynPmap<T>,
    recycle: Recycle,
) where
    T::Error: std::fmt::Debug,
{
    let (shown, items) = until_started(5);
    let run = run(Box::new(items)).pool_processes(2).recycle(recycle);
    let (run, count) = Census::of(run.capacity(100));
    *shown.lock().unwrap() = Some(count.clone());
    let mut run = run.start().unwrap().into_iter();
    assert!(run.by_ref().all(|outcome| outcome.is_ok()));
    assert_eq!(run.stats().workers_died, 0);
    assert_eq!(count.now.load(Ordering::SeqCst), 0);
    let most = count.most.load(Ordering::SeqCst);
    assert!(most <= 2 + i64::from(recycle.at_once), "{most}");
}

#[test]
fn after_some_time() {
    check(|| {
        for at_once in [1, 3] {
            let mut recycle = Recycle::never().after_age(Duration::from_millis(20));
            recycle.at_once = at_once;
            goes_on(asyn_pmap::<pid>, recycle);
            goes_on(asyn_pmap::<pid_async>, recycle);
        }
    });
}

#[test]
fn when_they_are_large() {
    check(|| goes_on(asyn_pmap::<leaks>, Recycle::never().above_rss(64 << 20)));
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

#[test]
fn idle_workers_go_but_for_those_that_are_kept_and_come_back() {
    check(|| {
        let folder = Folder::temp();
        let shown: Arc<Mutex<Option<Census>>> = Arc::default();
        let seen = Arc::clone(&shown);
        let items = (0..7).map(move |n| {
            let count = seen.lock().unwrap().clone().unwrap();
            match n {
                // Before anything is asked of them.
                0 => count.wait_for(&count.ready, |ready| ready == 1),
                3 | 6 => {
                    let all = if n == 3 { 3 } else { 5 };
                    count.wait_for(&count.started, |started| started == all);
                    count.wait_for(&count.now, |now| now == 1);
                }
                _ => {}
            }
            (n / 3, if n == 6 { 1 } else { 3 })
        });
        let run = asyn_pmap::<meets>(items).shared(folder.clone());
        let run = run.pool_processes(3).min_processes(1);
        let run = run.recycle(Recycle::never().after_idle(Duration::from_millis(20)));
        let (run, count) = Census::of(run);
        *shown.lock().unwrap() = Some(count.clone());
        let run = run.start().unwrap();
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 7);
        assert_eq!(count.started.load(Ordering::SeqCst), 5);
        assert_eq!(count.most.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn those_that_are_kept_are_there_before_the_first_item() {
    check(|| {
        let shown: Arc<Mutex<Option<Census>>> = Arc::default();
        let seen = Arc::clone(&shown);
        let items = std::iter::once_with(move || {
            let count = seen.lock().unwrap().clone().unwrap();
            count.wait_for(&count.ready, |ready| ready == 3);
            1
        });
        let run = asyn_pmap::<pid>(items).pool_processes(3).min_processes(3);
        let (run, count) = Census::of(run);
        *shown.lock().unwrap() = Some(count);
        assert_eq!(run.start().unwrap().into_iter().count(), 1);
    });
}

/// Crashes, age, quotas and idleness at the same time.
#[test]
fn there_are_never_more_than_so_many() {
    check(|| {
        for (processes, at_once) in [(1, 1), (2, 1), (3, 2)] {
            let deeds = (0..150).map(|n| match n % 29 {
                11 => Deed::Abort,
                17 => Deed::Exit(1),
                _ => Deed::Return(n),
            });
            let mut recycle = Recycle::never()
                .after_items(10)
                .after_age(Duration::from_millis(15))
                .after_idle(Duration::from_millis(1));
            recycle.at_once = at_once;
            let run = asyn_pmap::<act>(deeds).pool_processes(processes);
            let run = run.crash_limit(2).recycle(recycle).capacity(20);
            let (run, count) = Census::of(run);
            let outcomes: Vec<_> = run.start().unwrap().into_iter().collect();
            assert_eq!(outcomes.len(), 150);
            let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
            assert_eq!(failed, 10);
            let most = count.most.load(Ordering::SeqCst);
            assert!(most <= processes as i64 + i64::from(at_once), "{most}");
        }
    });
}
