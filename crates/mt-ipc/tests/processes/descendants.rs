//! What a worker has started goes with it.

use mt_test_kit::{Signal, children, signal, wait_until, wait_until_gone};

use crate::scene::{Worker, check, check_alone};

/// Ends a worker with descendants; it dies of this signal, and the first so many processes go with it.
fn check_end(dies_of: i32, count: usize, end: impl FnOnce(&mut Worker)) {
    check(async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        assert_eq!(pids.len(), 4);
        end(&mut worker);
        assert_eq!(worker.process.wait().await.signal, Some(dies_of));
        wait_until_gone(&pids[..count]);
        // Those that have left the group belong to init now and are nobody's any more.
        pids[count..]
            .iter()
            .for_each(|&stray| signal(stray, Signal::KILL));
    });
}

/// Case D29: A worker that is killed takes along what its tasks have started, also what has detached itself.
#[test]
fn a_kill_takes_all_descendants() {
    check_end(9, 4, |worker| assert!(worker.process.kill()));
}

#[test]
fn a_drop_takes_all_descendants() {
    check(async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        drop(worker);
        wait_until_gone(&pids);
    });
}

/// Case 35: A worker that is dropped leaves a host that adopts orphans none to reap.
#[test]
fn a_drop_leaves_no_orphans() {
    use rustix::process::{getpid, set_child_subreaper};
    check_alone(async {
        set_child_subreaper(Some(getpid())).unwrap();
        let mut worker = Worker::ready("family").await;
        assert_eq!(worker.told_pids().await.len(), 4);
        drop(worker);
        // The worker itself is the runtime's to reap.
        let none = || wait_until(|| children().is_empty());
        tokio::task::spawn_blocking(none).await.unwrap();
    });
}

#[test]
fn a_stopped_worker_and_its_descendants_can_be_killed() {
    check_end(9, 4, |worker| {
        signal(worker.process.id(), Signal::STOP);
        worker.process.kill();
    });
}

#[test]
fn a_closed_connection_takes_a_worker_and_its_descendants() {
    check(async {
        let mut worker = Worker::ready("family").await;
        let pids = worker.told_pids().await;
        assert_eq!(worker.hang_up().await.wait().await.signal, Some(9));
        wait_until_gone(&pids);
    });
}

#[test]
fn a_worker_that_crashes_leaves_nothing_in_its_group() {
    check_end(6, 2, |worker| signal(worker.process.id(), Signal::ABORT));
}
