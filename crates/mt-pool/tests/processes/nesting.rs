//! Runs that are started by what another run tells.

use crate::prelude::*;

#[task]
fn next(n: u64) -> u64 {
    n + 1
}

/// With every outcome a run of what is left, while the run it came from goes on.
fn deeper(depth: u64) -> u64 {
    let run = asyn_pmap::<next>(0..3).processes(1).start().unwrap();
    let mut sum = 0;
    for outcome in run {
        sum += outcome.unwrap();
        if depth > 0 && sum == 1 {
            sum += deeper(depth - 1);
        }
    }
    sum
}

#[test_with(alone)]
fn every_outcome_starts_the_next_run() {
    assert_eq!(deeper(5), 6 * 6);
}

/// An observer is on the run's own thread; what it starts has one of its own.
///
/// Case D10: No lock is held while user code runs: a callback may start runs of its own.
#[test_with(alone)]
fn an_observer_starts_the_next_run() {
    fn observed(depth: u64, sums: &Arc<Mutex<Vec<u64>>>) {
        let told = Arc::clone(sums);
        let run = asyn_pmap::<next>([depth]).processes(1);
        let run = run.observe(move |event| {
            if let PoolEvent::WorkerReady { .. } = event
                && depth > 0
            {
                observed(depth - 1, &told);
            }
        });
        let values = run.start().unwrap().into_iter().map(Result::unwrap);
        let sum = values.sum();
        sums.lock().unwrap().push(sum);
    }
    let sums = Arc::default();
    observed(5, &sums);
    assert_eq!(*sums.lock().unwrap(), [1, 2, 3, 4, 5, 6]);
}
