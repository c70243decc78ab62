//! What tasks start goes with their worker, however the worker ends.

use std::process::Command;

use mt_test_kit::is_gone;

use crate::prelude::*;

const LEAVES: [Deed; 2] = [
    Deed::Leave { detached: false },
    Deed::Leave { detached: true },
];

#[test_with(alone)]
fn at_the_end_of_a_run() {
    let pids = values(asyn_pmap::<act>(LEAVES).processes(1));
    wait_until_gone(&[pids[0] as u32, pids[1] as u32]);
}

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
    let start = |_| Command::new("sleep").arg("1000").spawn().unwrap().id();
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

/// Leaves so many processes that end at once, below one that is gone when this returns, and then does this.
#[task]
fn leaves_orphans(count: usize, deed: Deed) -> u64 {
    let orphans = format!("for n in $(seq {count}); do sleep 0 & done");
    Command::new("sh").args(["-c", &orphans]).status().unwrap();
    let own = std::process::id();
    wait_until(|| {
        let orphans = mt_test_kit::children_of(own);
        orphans.iter().all(|&orphan| is_gone(orphan))
    });
    deed.act()
}

/// Case 18: However many processes a task has left that are dead, a hard deadline asks its worker to end before it kills.
#[test_with(alone)]
fn many_dead_ones_and_a_deadline() {
    let run = asyn_pmap::<leaves_orphans>([(300, Deed::Never)]).processes(1);
    let deaths = complete(run.deadlines(hard(Duration::from_secs(3))), 1).deaths();
    assert_eq!(deaths.len(), 1);
    assert_eq!(deaths[0].exit.signal, Some(15), "{}", deaths[0]);
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
