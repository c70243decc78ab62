//! No zombies, no descriptors, whatever else the host program does.

use std::{collections::BTreeMap, thread};

use mt_ipc::Exit;
use mt_test_kit::{Signal, alone, children, name_of, signal, state_of, test_with, wait_until};
use rustix::process::{WaitOptions, wait};
use tokio::runtime::Builder;

use crate::scene::{Worker, check, check_alone, role};

/// How many descriptors there are of each sort.
fn descriptors() -> BTreeMap<String, usize> {
    let mut sorts = BTreeMap::new();
    for (_, target) in mt_test_kit::descriptors() {
        let target = target.display().to_string();
        let sort = target.split(':').next().unwrap_or_default();
        *sorts.entry(sort.to_owned()).or_default() += 1;
    }
    sorts
}

/// Afterwards there are as many descriptors as before, and no children.
fn leaves_nothing<T: AsyncFnOnce()>(test: T) {
    let name = name_of::<T>();
    let test = async {
        // The first makes what stays: the thread that starts workers, the runtime's own descriptors.
        Worker::ready("echo").await.kill().await;
        let before = descriptors();
        test().await;
        assert_eq!(children(), [0_u32; 0]);
        // Whoever reads a standard error closes it at its next turn.
        while descriptors() != before {
            tokio::task::yield_now().await;
        }
    };
    alone(name, || check(test));
}

fn apart<T: FnOnce()>(test: T) {
    alone(name_of::<T>(), test);
}

/// Case R45: Workers, however far they came, leave no process, zombie or descriptor.
#[test_with(leaves_nothing)]
async fn fifty_workers_leave_nothing() {
    for round in 0..50 {
        let mut worker = match round % 3 {
            0 => Worker::ready("echo").await,
            1 => Worker::start(role("never-attach")).await,
            _ => Worker::start(role("echo")).await,
        };
        worker.kill().await;
        worker.hang_up().await;
    }
}

#[test]
fn workers_that_are_dropped_are_reaped() {
    check_alone(async {
        for _ in 0..10 {
            drop(Worker::ready("echo").await);
        }
        // The caller of this one has gone before it was started.
        let request = mt_ipc::spawn(role("echo"));
        drop(futures::FutureExt::now_or_never(request));
        while !children().is_empty() {
            tokio::task::yield_now().await;
        }
    });
}

/// Case I20: A worker that is dropped is reaped whether or not there is a runtime still, also if its end takes a while.
#[test_with(apart)]
fn workers_are_reaped_without_a_runtime() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let worker = runtime.block_on(async {
        let mut worker = Worker::ready("large").await;
        worker.told().await;
        worker
    });
    drop(runtime);
    drop(worker);
    wait_until(|| children().is_empty());
}

/// Case I5: A start that fails leaves nothing behind.
#[test_with(leaves_nothing)]
async fn failed_starts_leave_nothing() {
    for _ in 0..20 {
        let mut command = role("echo");
        command.program = mt_ipc::Program::File("/nowhere/at/all".into());
        assert!(mt_ipc::spawn(command).await.is_err());
    }
}

/// Case D30: A host that reaps all children itself gets in nobody's way.
#[test]
fn a_host_that_reaps_everything_is_survived() {
    check_alone(async {
        let mut worker = Worker::ready("echo").await;
        let pid = worker.process.id();
        signal(pid, Signal::KILL);
        let reaper = thread::spawn(|| wait(WaitOptions::empty()).unwrap());
        reaper.join().unwrap();
        assert_eq!(state_of(pid), None, "reaped");
        let exit = worker.process.wait().await;
        // Linux tells from 6.15 on.
        match exit.signal {
            Some(number) => assert_eq!(number, 9),
            None => assert_eq!(exit, Exit::default()),
        }
        assert_eq!(worker.kill().await, exit);
    });
}
