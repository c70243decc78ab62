//! What tasks start goes with their worker, however the worker ends.

use std::{iter, sync::mpsc::sync_channel};

use mt_pool::asyn_pmap;
use mt_test_kit::{is_gone, wait_until};

use crate::{
    deed::{Deed, act},
    report::complete,
    scene::check,
};

fn leaving(deeds: Vec<Deed>) -> Vec<u32> {
    let items = deeds.len() as u64;
    let report = complete(
        asyn_pmap::<act>(deeds).pool_processes(1).crash_limit(1),
        items,
    );
    let values = report
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().ok());
    values.map(|&pid| pid as u32).collect()
}

fn all_go(pids: &[u32]) {
    assert!(!pids.is_empty());
    wait_until(|| pids.iter().all(|&pid| is_gone(pid)));
}

#[test]
fn at_the_end_of_a_run() {
    check(|| {
        all_go(&leaving(vec![
            Deed::Leave { detached: false },
            Deed::Leave { detached: true },
        ]));
    });
}

#[test]
fn when_a_run_is_dropped() {
    check(|| {
        let deeds = (0..).map(|n| match n {
            0 => Deed::Leave { detached: false },
            1 => Deed::Leave { detached: true },
            n => Deed::Return(n),
        });
        let run = asyn_pmap::<act>(deeds)
            .pool_processes(1)
            .capacity(10)
            .start()
            .unwrap();
        let pids: Vec<u32> = run
            .into_iter()
            .take(2)
            .map(|pid| pid.unwrap() as u32)
            .collect();
        all_go(&pids);
    });
}

/// A worker that dies by itself takes its group along. What has left the group as well is nobody's.
#[test]
fn when_the_worker_dies() {
    check(|| {
        let (told, tell) = sync_channel::<()>(1);
        let second = iter::once_with(move || {
            // Asked for when the first one's outcome is here: a death takes nothing back.
            tell.recv().unwrap();
            Deed::LeaveAndDie
        });
        let deeds = iter::once(Deed::Leave { detached: false }).chain(second);
        let run = asyn_pmap::<act>(deeds).pool_processes(1).crash_limit(1);
        let mut outcomes = run.start().unwrap().into_iter();
        let left = outcomes.next().unwrap().unwrap() as u32;
        told.send(()).unwrap();
        assert!(outcomes.next().unwrap().is_err());
        assert!(outcomes.next().is_none());
        all_go(&[left]);
    });
}
