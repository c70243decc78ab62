//! Workers that give no sign of life.

use std::{
    iter,
    sync::{Arc, Mutex, mpsc::sync_channel},
    time::Duration,
};

use mt_pool::{LivenessPolicy, PoolEvent, asyn_pmap};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    deed::{Deed, act},
    scene::check,
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
        };
        // The signal may well come to another thread first, and the item end before the process stops.
        let (went_on, goes_on) = sync_channel::<()>(1);
        let second = iter::once_with(move || {
            goes_on.recv().unwrap();
            Deed::Return(7)
        });
        let deeds = iter::once(Deed::Signal(19)).chain(second);
        let run = asyn_pmap::<act>(deeds).pool_processes(1).liveness(policy);
        let events = Arc::clone(&told);
        let run = run.observe(move |event| {
            if let PoolEvent::WorkerStopped { pid, .. } = event {
                let mut told = events.lock().unwrap();
                *told += 1;
                // Long enough for any queue of beats to it to be full.
                if *told == 80 {
                    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
                    kill_process(pid, Signal::CONT).unwrap();
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
