//! The parent has forked, or is told to end by a signal.

use std::process::Stdio;

use mt_pool::OnSignal;
use mt_test_kit::{Scene, ends, fork_that_stays, role, state_of};

use crate::{
    parent::{drains, end, with_descendants},
    prelude::*,
};

/// Where a parent starts. For the test runner this is nothing.
#[test]
fn as_parent() {
    match role().as_str() {
        "killed" => with_descendants(thread::park),
        "has forked" => with_descendants(|| {
            println!("FORK {}", fork_that_stays());
            thread::park();
        }),
        "drains when terminated" => {
            drains(WorkerOptions::new().on_terminate(OnSignal::Drain));
        }
        "ends at once" => ends_at_once(),
        _ => {}
    }
}

fn start(role: &str) -> Scene {
    let mut command = Scene::of("platform::linux::parent::as_parent", role);
    let mut parent = Scene::start(command.stderr(Stdio::null()));
    parent.read_until("PIDS");
    parent
}

/// Case 34: workers go with a host that is killed, also when a process that it has forked off lives on.
#[test]
fn killed_after_a_fork() {
    let mut parent = start("has forked");
    let told = parent.read_until("FORK");
    let fork: u32 = told.trim_start_matches("FORK ").parse().unwrap();
    parent.signal(Signal::KILL);
    assert_eq!(end(parent), ends::KILL);
    assert!(state_of(fork).is_some(), "it holds the connections");
    signal(fork, Signal::KILL);
}

/// Case P1: a SIGTERM to the host, or to host and workers at once, leaves nothing behind.
#[test]
fn terminated() {
    for workers_too in [false, true] {
        let parent = start("killed");
        for &worker in parent.pids.iter().filter(|_| workers_too) {
            signal(worker, Signal::TERM);
        }
        parent.signal(Signal::TERM);
        assert_eq!(end(parent), ends::TERMINATE);
    }
}

/// Case M164: With `on_terminate` the first SIGTERM drains, also when it goes to workers too, which it does not end.
#[test]
fn a_sigterm_to_the_whole_service_drains_where_that_is_wanted() {
    let mut parent = Scene::of(
        "platform::linux::parent::as_parent",
        "drains when terminated",
    );
    let mut parent = Scene::start(parent.stderr(Stdio::null()));
    for _ in 0..2 {
        let told = parent.read_until("WORKER ");
        let (_, pid) = told.split_once("WORKER ").unwrap();
        parent.pids.push(pid.parse().unwrap());
    }
    parent.read_until("PIDS");
    let terminate = |parent: &Scene| {
        parent
            .pids
            .iter()
            .for_each(|&worker| signal(worker, Signal::TERM));
    };
    terminate(&parent);
    parent.signal(Signal::TERM);
    terminate(&parent);
    let told = parent.read_until("DRAINED");
    assert!(!told.ends_with(" 0"), "the rest is cancelled: {told}");
    assert_eq!(end(parent), (Some(0), None));
}

/// Case M165: With `OnSignal::AtOnce` the first SIGTERM cancels what runs, and every item has its outcome.
#[test]
fn a_sigterm_ends_all_at_once_where_that_is_wanted() {
    let mut parent = start("ends at once");
    parent.read_until("READY");
    parent.read_until("READY");
    parent.signal(Signal::TERM);
    parent.read_until("ENDED");
    assert_eq!(end(parent), (Some(0), None));
}

/// Is terminated while all that runs never ends, and tells what came of it.
fn ends_at_once() {
    let workers = WorkerOptions::new().on_terminate(OnSignal::AtOnce);
    let run = asyn_pmap::<forever>(0..10).processes(2).workers(workers);
    let run = run.observe(|event| match event {
        PoolEvent::WorkerReady { .. } => println!("READY"),
        PoolEvent::WorkerStarted { pid, .. } => println!("PIDS {pid}"),
        _ => {}
    });
    let run = run.start().unwrap();
    let handle = run.handle();
    assert!(
        run.into_iter()
            .all(|outcome| outcome.unwrap_err().is_cancelled())
    );
    let stats = handle.stats();
    assert!(stats.interrupted && stats.cancelled == stats.pulled);
    println!("ENDED");
}
