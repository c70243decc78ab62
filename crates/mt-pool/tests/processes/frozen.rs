//! Workers that give no sign of life.

use std::{
    fmt::Debug,
    iter,
    sync::{Arc, Mutex, mpsc::sync_channel},
    time::Duration,
};

use mt_pool::{
    AsynPmap, Task, asyn_pmap,
    events::PoolEvent,
    limits::WorkerOptions,
    supervision::{DeathCause, LivenessPolicy, Verdict},
    task,
};
use mt_test_kit::{Signal, signal};

use crate::{
    deed::{Deed, act},
    report::complete,
    scene::check,
    tasks::FOR_EVER,
};

/// A worker that somebody has stopped is told of, again and again, and left alone; when it goes on,
/// so does its item.
#[test]
fn a_stopped_worker_is_waited_for() {
    check(|| {
        let told = Arc::new(Mutex::new(0));
        let policy = LivenessPolicy {
            interval: Duration::from_millis(5),
            missed_beats: 5,
            ..LivenessPolicy::default()
        };
        // The signal may well come to another thread first, and the item end before the process stops.
        let (went_on, goes_on) = sync_channel::<()>(1);
        let second = iter::once_with(move || {
            goes_on.recv().unwrap();
            Deed::Return(7)
        });
        let deeds = iter::once(Deed::Signal(19)).chain(second);
        let run = asyn_pmap::<act>(deeds)
            .processes(1)
            .workers(WorkerOptions::new().liveness(policy));
        let events = Arc::clone(&told);
        let run = run.observe(move |event| {
            if let PoolEvent::WorkerStopped { pid, .. } = event {
                let mut told = events.lock().unwrap();
                *told += 1;
                // Long enough for any queue of beats to it to be full.
                if *told == 80 {
                    signal(*pid, Signal::CONT);
                    went_on.send(()).unwrap();
                }
            }
        });
        let mut run = run.start().unwrap().into_iter();
        let values: Vec<u64> = run.by_ref().map(Result::unwrap).collect();
        assert_eq!(values, [0, 7]);
        assert_eq!(run.stats().workers_started, 1);
        assert!(*told.lock().unwrap() >= 80);
    });
}

#[task]
async fn blocks(n: u64) -> u64 {
    if n == 3 {
        std::thread::sleep(FOR_EVER); // work: never gets anywhere
    }
    n
}

#[task]
fn waits(n: u64) -> u64 {
    if n == 3 {
        std::thread::sleep(FOR_EVER); // work: never gets anywhere
    }
    n
}

/// A call that holds up its worker is found by what the worker does not do, beats or no beats.
fn is_blocked<T: Task<Input = u64, Output = u64, Error: Debug>>(run: AsynPmap<T>) {
    let policy = LivenessPolicy {
        interval: Duration::from_millis(5),
        // A busy machine holds beats up for longer than five of these.
        missed_beats: 1000,
        blocked_checks: 10,
        blocked: Verdict::Kill,
        ..LivenessPolicy::default()
    };
    let report = complete(
        run.processes(2)
            .crash_limit(1)
            .workers(WorkerOptions::new().liveness(policy)),
        10,
    );
    assert_eq!(report.crash(3).0.cause, DeathCause::Blocked);
    assert!(report.told(|event| matches!(event, PoolEvent::WorkerBlocked { .. })) > 0);
}

#[test]
fn a_call_that_blocks_its_runtime() {
    check(|| is_blocked(asyn_pmap::<blocks>(0..10).max_concurrency(1)));
}

#[test]
fn a_plain_call_that_waits_for_ever() {
    check(|| is_blocked(asyn_pmap::<waits>(0..10)));
}
