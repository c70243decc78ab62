//! Inits that fail, in every way: for good, at first, or without an end.

use std::{path::PathBuf, time::Duration};

use mt_pool::{
    AsynPmap, PoolEvent, RestartBudget, SetupStep, TaskErrorKind, WorkerFailure, asyn_pmap, task,
};

use crate::{
    deed::{note, noted},
    report::{Report, complete},
    scene::check,
};

#[task]
fn init_fails() -> Result<(), String> {
    Err("no library here".into())
}

#[task]
async fn init_panics() {
    panic!("no library here");
}

#[task]
fn init_aborts() {
    std::process::abort();
}

#[task]
fn init_fails_at_first(log: PathBuf, times: usize) -> Result<(), String> {
    note(&log, 0);
    let tries = noted(&log).len();
    if tries > times {
        Ok(())
    } else {
        Err(format!("try {tries}"))
    }
}

#[task]
fn init_hangs() {
    std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
}

#[task]
fn init_hangs_but_once(taken: PathBuf) {
    // One makes the file, whoever is first; to count and then to look would let all of them hang.
    if std::fs::File::create_new(taken).is_err() {
        std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
    }
}

#[task]
fn init_hangs_once(taken: PathBuf) {
    if std::fs::File::create_new(taken).is_ok() {
        std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
    }
}

#[task]
fn twice(n: u64) -> u64 {
    2 * n
}

/// No worker can be had: every item says why, and no more are tried than the budget has.
fn hopeless(run: AsynPmap<twice>, processes: u64) -> Report<twice> {
    let report = complete(run.pool_processes(processes as usize), 50);
    for index in 0..50 {
        let kind = report.error(index).kind();
        assert!(matches!(kind, TaskErrorKind::Pool(_)), "{kind:?}");
    }
    let started = report.stats.workers_started;
    assert!(started <= 8 + processes, "{started} workers started");
    let failed = report
        .events
        .iter()
        .filter(|event| matches!(event, PoolEvent::WorkerFailed { .. }));
    assert!(
        (9..=started).contains(&(failed.count() as u64)),
        "each is told of"
    );
    report
}

#[test]
fn an_init_that_fails_everywhere_is_every_items_error() {
    check(|| {
        for processes in [1, 2, 5] {
            let report = hopeless(asyn_pmap::<twice>(0..50).init::<init_fails>(()), processes);
            let TaskErrorKind::Pool(cause) = report.error(3).kind() else {
                unreachable!()
            };
            let WorkerFailure::Setup { step, message } = &**cause else {
                panic!("{cause}")
            };
            assert_eq!(*step, SetupStep::Init);
            assert_eq!(message, "no library here");
        }
    });
}

#[test]
fn an_init_that_panics_or_dies_everywhere() {
    check(|| {
        let report = hopeless(asyn_pmap::<twice>(0..50).init::<init_panics>(()), 2);
        assert!(report.error(0).to_string().contains("no library here"));
        let report = hopeless(asyn_pmap::<twice>(0..50).init::<init_aborts>(()), 2);
        assert!(
            report.error(0).to_string().contains("SIGABRT"),
            "{}",
            report.error(0)
        );
    });
}

#[test]
fn an_init_that_works_in_the_end() {
    check(|| {
        for (processes, times) in [(1, 8), (2, 5), (4, 8)] {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("tries");
            let run = asyn_pmap::<twice>(0..50).init::<init_fails_at_first>((log, times));
            let report = complete(run.pool_processes(processes), 50);
            assert_eq!(report.failed(), [0; 0]);
        }
    });
}

#[test]
fn an_init_that_hangs_everywhere_ends_the_run_by_its_deadline() {
    check(|| {
        let limit = Duration::from_millis(50);
        let run = asyn_pmap::<twice>(0..50).init::<init_hangs>(());
        let run = run.init_deadline(limit).restart_budget(RestartBudget {
            limit: 3,
            ..RestartBudget::default()
        });
        let report = complete(run.pool_processes(2), 50);
        for index in 0..50 {
            let TaskErrorKind::Pool(cause) = report.error(index).kind() else {
                panic!("{}", report.error(index))
            };
            let WorkerFailure::SetupTimedOut { limit: told } = &**cause else {
                panic!("{cause}")
            };
            assert_eq!(*told, limit);
        }
        assert!(report.error(0).to_string().contains("init_deadline"));
        let started = report.stats.workers_started;
        assert!((4..=5).contains(&started), "{started} workers started");
    });
}

#[test]
fn an_init_that_hangs_once_is_replaced() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        // The other way round: who makes the file hangs.
        let run = asyn_pmap::<twice>(0..50).init::<init_hangs_once>(taken);
        let run = run.init_deadline(Duration::from_secs(1)).pool_processes(1);
        let report = complete(run, 50);
        assert_eq!(report.failed(), [0; 0]);
        assert_eq!(report.stats.workers_started, 2);
    });
}

#[test]
fn an_init_that_never_ends() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        let run = asyn_pmap::<twice>(0..50).init::<init_hangs_but_once>(taken);
        let report = complete(run.pool_processes(3), 50);
        assert_eq!(
            report.failed(),
            [0; 0],
            "one worker does it all, the others are killed"
        );
        assert!(report.deaths().is_empty());
        // Dropping a run whose only worker hangs takes the worker along.
        let run = asyn_pmap::<twice>(0..50).init::<init_hangs>(());
        drop(run.pool_processes(1).start().unwrap());
    });
}
