//! Workers killed from outside, many and all at once, at any moment.

use mt_test_kit::children_of;

use crate::prelude::*;

#[task]
fn work(n: u64) -> u64 {
    thread::sleep(Duration::from_micros(n % 5 * 100)); // work: some items take longer than others
    n
}

#[task]
async fn work_async(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_micros(n % 5 * 300)).await; // work: waits as a task would
    n
}

#[task]
fn big(n: u64) -> Vec<u64> {
    vec![n; 1 << 19]
}

#[task]
fn take_big(bytes: Vec<u64>) -> u64 {
    bytes[0]
}

/// Kills every worker each time so many outcomes are out. All items come out once; with enough
/// patience for suspects, all with their values.
fn under_fire<T: Task<Error: Debug>>(
    run: AsynPmap<T>,
    (items, every): (u64, u64),
    value: impl Fn(&T::Output) -> u64,
) {
    let census = Census::default();
    // So few places that the run can't be over when the first shots fall.
    let run = run.crash_limit(1000).capacity(2 * every as usize);
    let mut run = census.watch(run).start().unwrap().indexed().into_iter();
    let mut seen = BTreeSet::new();
    for (index, outcome) in run.by_ref() {
        assert!(seen.insert(index), "{index} came twice");
        assert_eq!(value(&outcome.unwrap()), index);
        if (seen.len() as u64).is_multiple_of(every) {
            census.kill_all();
        }
    }
    assert_eq!(seen.len() as u64, items);
    assert!(run.stats().workers_died > 0);
    assert!(census.counts().living.is_empty());
}

#[test_with(alone)]
fn all_workers_killed_in_the_same_instant_again_and_again() {
    fn again_and_again<T: Task<Input = u64, Output = u64, Error: Debug>>(ordered: bool) {
        let run = asyn_pmap::<T>(0..2000).ordered(ordered);
        under_fire(run.processes(3), (2000, 300), |n| *n);
    }
    for ordered in [true, false] {
        again_and_again::<work>(ordered);
        again_and_again::<work_async>(ordered);
    }
}

#[test_with(alone)]
fn killed_in_the_middle_of_a_body_larger_than_the_socket_buffer() {
    let run = asyn_pmap::<big>(0..40).processes(2);
    under_fire(run.capacity(10), (40, 3), |values| values[0]);
    let items = (0..40).map(|n| vec![n; 1 << 19]);
    let run = asyn_pmap::<take_big>(items).processes(2);
    under_fire(run.capacity(10), (40, 3), |n| *n);
}

/// Every tenth item kills all workers but its own, once.
#[task]
fn kills_its_mates(#[shared] (folder, parent): &(Folder, u32), n: u64) -> u64 {
    let own = std::process::id();
    folder.note("pids", u64::from(own));
    if n.is_multiple_of(10) && folder.first(&format!("done-{n}")) {
        let pids: BTreeSet<u64> = folder.noted("pids").into_iter().collect();
        let others = pids.into_iter().map(|pid| pid as u32);
        // Only a worker of this run: a child of the same parent.
        let mates = children_of(*parent);
        for pid in others.filter(|pid| *pid != own && mates.contains(pid)) {
            signal(pid, Signal::KILL);
        }
    }
    n
}

#[test_with(in_folder)]
fn workers_that_kill_each_other(folder: Folder) {
    let run = asyn_pmap::<kills_its_mates>(0..200).shared((folder.clone(), std::process::id()));
    let run = run.processes(3).crash_limit(1000);
    assert_eq!(values(run), (0..200).collect::<Vec<_>>());
}
