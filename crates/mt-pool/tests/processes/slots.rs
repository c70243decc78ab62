//! The slots of workers: small numbers, each of one process at a time.

use std::env;

use mt_ipc::SpawnError;
use mt_pool::worker_slot;

use crate::{
    platform::{self, LINE_END},
    prelude::*,
};

const DEVICE: &str = "MT_POOL_TEST_DEVICE";

/// Slot, process, and the device of the slot.
type Found = (u32, u32, Option<String>);

/// Aborts if it is told to. The slot is told in three ways.
#[task]
fn slot(aborts: bool) -> Found {
    if aborts {
        std::process::abort();
    }
    let slot = worker_slot().unwrap();
    assert_eq!(env::var("MT_WORKER_SLOT").unwrap(), slot.to_string());
    let printed = platform::prints_variable("MT_WORKER_SLOT").output();
    assert_eq!(
        printed.unwrap().stdout,
        format!("{slot}{LINE_END}").as_bytes()
    );
    (slot, std::process::id(), env::var(DEVICE).ok())
}

/// Which processes have had each slot, of which none may have changed its slot.
fn holders(found: &[Found]) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut holders = BTreeMap::<u32, BTreeSet<u32>>::new();
    for (slot, pid, _) in found {
        holders.entry(*slot).or_default().insert(*pid);
    }
    let pids: usize = holders.values().map(BTreeSet::len).sum();
    let all: BTreeSet<u32> = found.iter().map(|found| found.1).collect();
    assert_eq!(pids, all.len(), "{found:?}");
    holders
}

/// Whoever replaces a dead worker has the slot of that, and no slot is beyond the number of processes.
#[test_with(alone)]
fn those_that_replace_the_dead_have_their_slots() {
    for pool in [None, Some(Pool::builder().processes(3).start().unwrap())] {
        let items = (0..60).map(|n| n % 10 == 3);
        let mut run = asyn_pmap::<slot>(items).processes(3).crash_limit(1);
        if let Some(pool) = &pool {
            run = run.pool(pool);
        }
        let outcomes = run.workers(restarts(u32::MAX)).start().unwrap();
        // What a worker had done and not told yet when it died is lost too.
        let found: Vec<Found> = outcomes.into_iter().filter_map(Result::ok).collect();
        let holders = holders(&found);
        assert!(holders.keys().all(|&slot| slot < 3), "{holders:?}");
        assert!(holders.values().any(|pids| pids.len() > 1), "{holders:?}");
    }
    assert_eq!(worker_slot(), None);
}

fn by_slot(prefix: &'static str) -> WorkerOptions {
    // What else is said of it does not count: this is the last word.
    let options = WorkerOptions::new().env(DEVICE, "no");
    options.env_by_slot(DEVICE, move |slot| format!("{prefix}{slot}"))
}

/// Workers of a pool keep their slots over runs, and are used again by those that say the same of these.
#[test_with(alone)]
fn a_pool_uses_workers_again_for_whose_slot_a_run_says_the_same() {
    let pool = Pool::builder().processes(2).start().unwrap();
    let found = |prefix| {
        let run = asyn_pmap::<slot>([false; 40]).processes(2).pool(&pool);
        let found = values(run.workers(by_slot(prefix)));
        for (slot, _, device) in &found {
            assert!(*slot < 2);
            assert_eq!(*device, Some(format!("{prefix}{slot}")));
        }
        holders(&found)
    };
    let first = found("gpu");
    let again = found("gpu");
    for (slot, pids) in &first {
        assert!(again.get(slot).is_none_or(|again| again == pids), "{slot}");
    }
    let other = found("card");
    assert!(other.values().flatten().all(|pid| {
        let had = first.values().chain(again.values());
        had.flatten().all(|had| had != pid)
    }));
}

/// A function that panics for a slot is why there is no worker.
#[test_with(alone)]
fn a_function_of_the_slot_that_panics_is_told() {
    for pool in [None, Some(Pool::builder().processes(1).start().unwrap())] {
        let refuses = |slot: u32| -> String { panic!("no device {slot}") };
        let workers = restarts(0).env_by_slot(DEVICE, refuses);
        let mut run = asyn_pmap::<slot>([false]).processes(1).workers(workers);
        if let Some(pool) = &pool {
            run = run.pool(pool);
        }
        assert_is!(*complete(run, 1).no_workers(0), WorkerFailure::Spawn(SpawnError::Variable {
            name, slot: 0, message }) if name == DEVICE && message.contains("no device 0"));
    }
}
