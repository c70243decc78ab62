//! A program that forgot to call `init`: this one. It has no `test_worker!`.

#![cfg(unix)]

use std::os::unix::process::CommandExt;

use mt_pool::{StartError, asyn_pmap, limits::WorkerOptions, task};

#[task]
fn double(n: u64) -> u64 {
    2 * n
}

/// Case M2: A worker process that has not gone through `init` starts no workers.
#[test]
fn a_worker_that_has_not_gone_through_init_starts_no_workers() {
    const NAME: &str = "a_worker_that_has_not_gone_through_init_starts_no_workers";
    let own = std::env::current_exe().expect("it runs");
    if std::env::args_os()
        .next()
        .is_some_and(|name| name == "mt-worker")
    {
        let started = asyn_pmap::<double>([1, 2]).start();
        assert!(matches!(started, Err(StartError::InWorker)), "{started:?}");
        return;
    }
    let mut worker = std::process::Command::new(own);
    let output = worker.arg0("mt-worker").args([NAME, "--exact"]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{output:?}");
}

/// Case M1: A program that does not call `init` is told so, and no process is started.
#[test]
fn it_is_told_so_before_any_process_is_started() {
    match asyn_pmap::<double>([1, 2]).start() {
        Err(error @ StartError::NotInitialised) => {
            assert!(error.to_string().contains("mt_pool::init()"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

/// Case M102: Workers of another `program` need no `init` in this one.
#[test]
fn workers_of_another_program_need_no_init_here() {
    let workers = WorkerOptions::new().program("/nowhere/at/all");
    let run = asyn_pmap::<double>([1, 2]).workers(workers).start();
    let outcomes = run.expect("it is started").into_iter();
    assert_eq!(
        outcomes.filter(Result::is_err).count(),
        2,
        "there is no such program"
    );
}
