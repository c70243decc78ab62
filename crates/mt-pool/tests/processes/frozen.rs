//! Workers that give no sign of life.

use mt_pool::supervision::{LivenessPolicy, Verdict};

use crate::prelude::*;

/// A worker that somebody has stopped is told of, again and again, and left alone; when it goes on,
/// so does its item.
///
/// Case M108: A stopped worker is told of again and again, and waited for.
#[test_with(
    alone,
    not_on(windows, "the system does not tell that a process is suspended")
)]
fn a_stopped_worker_is_waited_for() {
    let told = Arc::new(Mutex::new(0));
    // The signal may well come to another thread first, and the item end before the process stops.
    let (went_on, goes_on) = sync_channel(1);
    let second = iter::once_with(move || goes_on.recv().unwrap());
    let run = asyn_pmap::<act>(iter::once(Deed::Signal(19)).chain(second)).processes(1);
    let policy = LivenessPolicy {
        // A busy machine holds up beats of one that goes on, too.
        frozen: Verdict::Report,
        ..beats(5, 1)
    };
    let run = run.workers(WorkerOptions::new().liveness(policy));
    let events = Arc::clone(&told);
    let run = run.observe(move |event| {
        if let PoolEvent::WorkerStopped { pid, .. } = event {
            let mut told = events.lock().unwrap();
            *told += 1;
            // Long enough for any queue of beats to it to be full.
            if *told == 400 {
                signal(*pid, Signal::CONT);
                went_on.send(Deed::Return(7)).unwrap();
            }
        }
    });
    let mut run = run.start().unwrap().into_iter();
    let values: Vec<u64> = run.by_ref().map(Result::unwrap).collect();
    assert_eq!(values, [0, 7]);
    assert_eq!(run.stats().workers_started, 1);
    assert!(*told.lock().unwrap() >= 400);
}

/// A call that holds up its worker is found by what the worker does not do, beats or no beats.
fn is_blocked<T: Task<Input = Deed, Output = u64, Error: Debug>>() {
    // A busy machine holds beats up for longer than five of these.
    let policy = LivenessPolicy {
        blocked_checks: 10,
        blocked: Verdict::Kill,
        ..beats(5, 1000)
    };
    let deeds = (0..10).map(|n| if n == 3 { Deed::Block } else { Deed::Return(n) });
    let run = asyn_pmap::<T>(deeds).max_concurrency(1).processes(2);
    let run = run.workers(WorkerOptions::new().liveness(policy));
    let report = complete(run.crash_limit(1), 10);
    assert_eq!(report.crash(3).0.cause, DeathCause::Blocked);
    assert!(report.told(|event| matches!(event, PoolEvent::WorkerBlocked { .. })) > 0);
}

#[test_with(alone)]
fn a_call_that_blocks_its_runtime() {
    is_blocked::<act_async>();
}

/// Case M109: A call that gets no further is found although its worker beats.
#[test_with(alone)]
fn a_plain_call_that_waits_for_ever() {
    is_blocked::<act>();
}

/// Leaves a task behind that never gives the thread back.
#[task]
async fn leaves_a_spin(n: u64) -> u64 {
    tokio::spawn(async {
        loop {
            std::hint::spin_loop();
        }
    });
    n
}

/// A call that follows another finds the thread taken, unless it comes at once.
///
/// Case 16: Items that a worker can't begin, because an earlier call has left a task behind that holds its thread, are
/// done by others.
#[test_with(alone)]
fn what_is_left_behind_and_holds_the_thread() {
    let liveness = LivenessPolicy {
        blocked_checks: 3,
        ..beats(20, 50)
    };
    let run = asyn_pmap::<leaves_a_spin>(0..3).processes(1).capacity(1);
    let run = run.deadlines(Deadlines::new().exit_grace(Duration::from_millis(100)));
    let report = complete(run.workers(WorkerOptions::new().liveness(liveness)), 3);
    report.lost_only(&[]);
}
