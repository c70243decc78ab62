//! Taking outcomes out: late, elsewhere, in part, two runs at once, and a run inside a task.

use std::{thread, time::Duration};

use futures::StreamExt;
use mt_pool::{TaskErrorKind, asyn_pmap, task};

use crate::{report::complete, scene::check};

#[task]
fn double(n: u64) -> u64 {
    2 * n
}

#[task]
fn even(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) {
        Ok(n)
    } else {
        Err(format!("{n} is odd"))
    }
}

#[task]
fn first_waits_for(#[shared] file: &String, n: u64) -> u64 {
    while n == 0 && !std::path::Path::new(file).exists() {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    n
}

#[task]
async fn one_at_a_time(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n
}

#[task]
fn sum_below(n: u64) -> u64 {
    let run = asyn_pmap::<double>(0..n).pool_processes(2).start().unwrap();
    run.into_iter().map(Result::unwrap).sum()
}

#[task]
async fn sum_below_async(n: u64) -> u64 {
    let run = asyn_pmap::<double>(0..n).pool_processes(2).start().unwrap();
    run.map(Result::unwrap).fold(0, async |a, b| a + b).await
}

#[task]
fn init_with_a_run() {
    let run = asyn_pmap::<double>(0..10)
        .pool_processes(1)
        .start()
        .unwrap();
    assert_eq!(run.into_iter().map(Result::unwrap).sum::<u64>(), 90);
}

#[test]
fn on_another_thread_while_the_first_is_gone() {
    check(|| {
        let make = thread::spawn(|| asyn_pmap::<double>(0..3000).pool_processes(2).start());
        let run = make.join().unwrap().unwrap();
        let sum = thread::spawn(|| run.into_iter().map(Result::unwrap).sum::<u64>());
        assert_eq!(sum.join().unwrap(), 2999 * 3000);
    });
}

#[test]
fn inside_any_executor() {
    check(|| {
        let start = || {
            asyn_pmap::<double>(0..100)
                .pool_processes(2)
                .start()
                .unwrap()
        };
        let sum = || start().into_iter().map(Result::unwrap).sum::<u64>();
        assert_eq!(futures::executor::block_on(async { sum() }), 9900);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        assert_eq!(runtime.block_on(async { sum() }), 9900);
        let mut run = start();
        let first = futures::executor::block_on(run.next()).unwrap();
        assert_eq!(first.unwrap(), 0);
    });
}

#[test]
fn more_outcomes_inside_a_runtime_than_its_budget_of_polls() {
    check(|| {
        // One item at a time, so that each outcome comes alone and is polled for.
        let one_by_one = || {
            let run = asyn_pmap::<double>(0..1000).pool_processes(1).capacity(1);
            run.start()
                .unwrap()
                .into_iter()
                .map(Result::unwrap)
                .sum::<u64>()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        assert_eq!(runtime.block_on(async { one_by_one() }), 999_000);
    });
}

#[test]
fn the_slowest_first() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("go").display().to_string();
        let start = |ordered| {
            let run = asyn_pmap::<first_waits_for>(0..500).shared(file.clone());
            run.pool_ordered(ordered).pool_processes(2).start().unwrap()
        };
        // One more may wait behind it in its worker; all others do not.
        let mut run = start(false).into_iter();
        let others: Vec<u64> = run.by_ref().take(498).map(Result::unwrap).collect();
        assert!(!others.contains(&0));
        std::fs::write(&file, "").unwrap();
        assert!(run.any(|value| value.unwrap() == 0));
        let values: Vec<u64> = start(true).into_iter().map(Result::unwrap).collect();
        assert_eq!(values, (0..500).collect::<Vec<_>>());
    });
}

#[test]
fn two_runs_side_by_side() {
    check(|| {
        let a = asyn_pmap::<double>(0..)
            .pool_processes(1)
            .capacity(20)
            .start()
            .unwrap();
        let b = asyn_pmap::<double>(0..500)
            .pool_processes(2)
            .start()
            .unwrap();
        let mut pairs = 0;
        for (a, b) in a.into_iter().zip(b) {
            assert_eq!(a.unwrap(), b.unwrap());
            pairs += 1;
        }
        assert_eq!(pairs, 500);
    });
}

#[test]
fn a_run_inside_a_task() {
    check(|| {
        let expected = [0, 0, 2, 6, 12];
        let report = complete(asyn_pmap::<sum_below>(0..5).pool_processes(2), 5);
        let values: Vec<u64> = report.outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, expected);
        let report = complete(asyn_pmap::<sum_below_async>(0..5).pool_processes(1), 5);
        let values: Vec<u64> = report.outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, expected);
        let run = asyn_pmap::<double>(0..5).init::<init_with_a_run>(());
        assert_eq!(complete(run.pool_processes(1), 5).failed(), [0; 0]);
    });
}

#[test]
fn fail_fast_yields_the_error_and_then_nothing() {
    check(|| {
        for processes in [1, 3] {
            let items = (0..).map(|n| if n == 10 { 11 } else { 2 * n });
            let run = asyn_pmap::<even>(items).fail_fast();
            let run = run.pool_processes(processes).start().unwrap();
            let outcomes: Vec<_> = run.into_iter().collect();
            assert_eq!(outcomes.len(), 11);
            let error = outcomes[10].as_ref().unwrap_err();
            assert_eq!(error.index(), 10);
            assert!(matches!(error.kind(), TaskErrorKind::Raised(text) if text == "11 is odd"));
        }
    });
}

#[test]
fn one_at_a_time_in_every_sense() {
    check(|| {
        let run = asyn_pmap::<one_at_a_time>(0..50)
            .max_concurrency(1)
            .batch_size(1)
            .capacity(1)
            .buffer_bytes(1)
            .pool_processes(1);
        assert_eq!(complete(run, 50).failed(), [0; 0]);
        let run = asyn_pmap::<one_at_a_time>(0..50)
            .max_concurrency(1)
            .pool_processes(2);
        assert_eq!(complete(run, 50).failed(), [0; 0]);
    });
}

#[test]
fn an_observer_that_panics_loses_no_item() {
    check(|| {
        let run = asyn_pmap::<double>(0..100).pool_processes(2);
        let run = run.observe(|event| panic!("{event:?}")).start().unwrap();
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 100);
    });
}
