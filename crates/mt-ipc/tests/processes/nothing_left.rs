//! No zombies, no descriptors, whatever else the host program does.

use std::{collections::BTreeMap, fs, thread};

use mt_ipc::Exit;
use rustix::process::{WaitOptions, wait};

use crate::scene::{Worker, check_alone, children, role};

/// How many descriptors there are of each sort.
fn descriptors() -> BTreeMap<String, usize> {
    let mut sorts = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let Ok(target) = fs::read_link(entry.unwrap().path()) else {
            continue;
        };
        let target = target.display().to_string();
        let sort = target.split(':').next().unwrap_or_default();
        *sorts.entry(sort.to_owned()).or_default() += 1;
    }
    sorts
}

#[test]
fn fifty_workers_leave_nothing() {
    check_alone("nothing_left::fifty_workers_leave_nothing", async {
        // The first makes what stays: the thread that starts workers, the runtime's own descriptors.
        Worker::ready("echo").await.process.wait_after_kill().await;
        let before = descriptors();
        for round in 0..50 {
            let mut worker = match round % 3 {
                0 => Worker::ready("echo").await,
                1 => Worker::start(role("never-attach")).await,
                _ => Worker::start(role("echo")).await,
            };
            worker.process.wait_after_kill().await;
            worker.writer.abort();
            let _ = worker.writer.await;
        }
        assert_eq!(descriptors(), before);
        assert_eq!(children(std::process::id()), "");
    });
}

#[test]
fn workers_that_are_dropped_are_reaped_by_the_runtime() {
    check_alone(
        "nothing_left::workers_that_are_dropped_are_reaped_by_the_runtime",
        async {
            for _ in 0..10 {
                drop(Worker::ready("echo").await);
            }
            // The caller of this one has gone before it was started.
            let request = mt_ipc::spawn(role("echo"));
            drop(futures::FutureExt::now_or_never(request));
            while !children(std::process::id()).is_empty() {
                tokio::task::yield_now().await;
            }
        },
    );
}

#[test]
fn failed_starts_leave_nothing() {
    check_alone("nothing_left::failed_starts_leave_nothing", async {
        Worker::ready("echo").await.process.wait_after_kill().await;
        let before = descriptors();
        for _ in 0..20 {
            let mut command = role("echo");
            command.program = mt_ipc::Program::File("/nowhere/at/all".into());
            assert!(mt_ipc::spawn(command).await.is_err());
        }
        assert_eq!(descriptors(), before);
        assert_eq!(children(std::process::id()), "");
    });
}

#[test]
fn a_host_that_reaps_everything_is_survived() {
    check_alone(
        "nothing_left::a_host_that_reaps_everything_is_survived",
        async {
            let mut worker = Worker::ready("echo").await;
            let pid = worker.process.id();
            crate::scene::signal(pid, rustix::process::Signal::KILL);
            let reaper = thread::spawn(|| wait(WaitOptions::empty()).unwrap());
            reaper.join().unwrap();
            assert_eq!(crate::scene::state(pid), None, "reaped");
            let exit = worker.process.wait().await;
            assert_eq!(exit, Exit::default());
            assert!(exit.to_string().starts_with("is gone"), "{exit}");
            worker.process.kill();
            assert_eq!(worker.process.wait().await, exit);
        },
    );
}

/// Kill, then wait.
trait WaitAfterKill {
    async fn wait_after_kill(&mut self) -> Exit;
}

impl WaitAfterKill for mt_ipc::ChildProcess {
    async fn wait_after_kill(&mut self) -> Exit {
        self.kill();
        self.wait().await
    }
}
