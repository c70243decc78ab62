//! What a worker has started goes with it.

use crate::scene::{Worker, check, wait_until_gone};

#[test]
fn a_kill_takes_all_descendants() {
    check("kill", async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        assert_eq!(pids.len(), 4);
        worker.process.kill();
        assert_eq!(worker.process.wait().await.signal, Some(9));
        wait_until_gone(&pids);
    });
}

#[test]
fn a_drop_takes_all_descendants() {
    check("drop", async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        drop(worker);
        wait_until_gone(&pids);
    });
}

#[test]
fn a_stopped_worker_and_its_descendants_can_be_killed() {
    check("kill stopped", async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        crate::scene::signal(worker.process.id(), rustix::process::Signal::STOP);
        worker.process.kill();
        assert_eq!(worker.process.wait().await.signal, Some(9));
        wait_until_gone(&pids);
    });
}

#[test]
fn a_closed_connection_takes_a_worker_and_its_descendants() {
    check("closed connection", async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        worker.writer.abort();
        let _ = worker.writer.await;
        drop((worker.sender, worker.receiver));
        assert_eq!(worker.process.wait().await.signal, Some(9));
        wait_until_gone(&pids);
    });
}

#[test]
fn a_worker_that_crashes_leaves_nothing_in_its_group() {
    check("crash", async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        crate::scene::signal(worker.process.id(), rustix::process::Signal::ABORT);
        assert_eq!(worker.process.wait().await.signal, Some(6));
        wait_until_gone(&pids[..2]);
        // Those that have left the group belong to init now and are nobody's any more.
        for stray in &pids[2..] {
            crate::scene::signal(*stray, rustix::process::Signal::KILL);
        }
    });
}
