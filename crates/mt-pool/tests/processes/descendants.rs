//! What tasks start goes with their worker, however the worker ends.

use mt_test_kit::sleeper;

use crate::prelude::*;

pub(crate) const LEAVES: [Deed; 2] = [
    Deed::Leave { detached: false },
    Deed::Leave { detached: true },
];

/// Case R8: When a run is over nothing is left of what its tasks have started, detached or not.
#[test_with(alone)]
fn at_the_end_of_a_run() {
    let pids = values(asyn_pmap::<act>(LEAVES).processes(1));
    wait_until_gone(&[pids[0] as u32, pids[1] as u32]);
}

/// Case M82: Dropping a run ends its workers with all they have started.
#[test_with(alone)]
fn when_a_run_is_dropped() {
    let deeds = LEAVES.into_iter().chain((2..).map(Deed::Return));
    let run = asyn_pmap::<act>(deeds).processes(1).capacity(10);
    let run = run.start().unwrap().into_iter();
    let pids: Vec<u32> = run.take(2).map(|pid| pid.unwrap() as u32).collect();
    wait_until_gone(&pids);
}

#[task]
fn leaves_many(count: usize) -> Vec<u32> {
    let start = |_| sleeper().spawn().unwrap().id();
    (0..count).map(start).collect()
}

/// Case P5: a thousand children of a task go when the run is dropped.
#[test_with(alone)]
fn a_thousand_when_a_run_is_dropped() {
    let run = asyn_pmap::<leaves_many>(iter::once(1002).chain(iter::repeat(0)));
    let mut run = run.processes(1).capacity(2).start().unwrap().into_iter();
    let pids = run.next().unwrap().unwrap();
    assert_eq!(pids.len(), 1002);
    drop(run);
    wait_until_gone(&pids);
}

/// A worker that dies by itself takes its group along. What has left the group as well is nobody's.
#[test_with(alone)]
fn when_the_worker_dies() {
    let (told, tell) = sync_channel::<()>(1);
    let second = iter::once_with(move || {
        // Asked for when the first one's outcome is here: a death takes nothing back.
        tell.recv().unwrap();
        Deed::LeaveAndDie
    });
    let deeds = iter::once(Deed::Leave { detached: false }).chain(second);
    let run = asyn_pmap::<act>(deeds).processes(1).crash_limit(1);
    let mut outcomes = run.start().unwrap().into_iter();
    let left = outcomes.next().unwrap().unwrap() as u32;
    told.send(()).unwrap();
    assert!(outcomes.next().unwrap().is_err());
    assert!(outcomes.next().is_none());
    wait_until_gone(&[left]);
}
