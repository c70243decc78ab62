//! Items that wait for too long and are not started any more.

use super::{LONG, is_timeout};
use crate::{prelude::*, tasks::first_waits_to_go};

#[task]
async fn first_waits_to_go_async(#[shared] folder: &Folder, n: u64) -> u64 {
    folder.note("started", n);
    while n == 0 && !folder.exists("go") {
        tokio::time::sleep(Duration::from_millis(1)).await; // work: goes on until it is told to end
    }
    n
}

/// One item has the only place; all others wait for too long and are never started. `waiting` of them
/// have their outcomes before that item has.
fn all_wait_but_one<T: Task<Input = u64, Output = u64, Shared = Folder, Error: Debug>>(
    option: impl Fn(AsynPmap<T>) -> AsynPmap<T>,
    waiting: usize,
) {
    let folder = Folder::temp();
    let census = Census::default();
    let (seen, started) = (census.clone(), folder.clone());
    // The place is taken before the others come, and its worker is there before it is.
    let items = (0..20).inspect(move |&n| {
        wait_until(|| seen.counts().ready > 0);
        wait_until(|| n == 0 || started.exists("started"));
    });
    let run = census.watch(asyn_pmap::<T>(items)).shared(folder.clone());
    let run = run.processes(1..=1).ordered(false);
    let run = option(run).deadlines(Deadlines::new().queue(LONG));
    let mut run = run.start().unwrap().indexed().into_iter();
    let mut late = BTreeSet::new();
    while late.len() < waiting {
        let (index, outcome) = run.next().unwrap();
        is_timeout(&outcome.unwrap_err(), Deadline::Queue, LONG);
        assert!(late.insert(index) && index > 0);
    }
    assert!(folder.first("go"));
    let rest: Vec<_> = run.by_ref().collect();
    assert_eq!(rest.len() + waiting, 20);
    for (index, outcome) in rest {
        assert_eq!(outcome.is_ok(), index == 0);
    }
    assert_eq!(folder.noted("started"), [0]);
    assert!(run.dead_letters().letters().is_empty());
}

/// Case M46: An item that waits longer than its queue deadline is timed out and never started.
#[test_with(alone)]
fn what_waits_too_long_is_never_started() {
    // One waits in the worker, which can't tell as long as it is busy.
    all_wait_but_one::<first_waits_to_go>(|run| run, 18);
    // Here it can.
    all_wait_but_one::<first_waits_to_go_async>(|run| run.max_concurrency(1), 19);
}
