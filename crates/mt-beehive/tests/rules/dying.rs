//! Rules 8 and 9: die, and what is under way. And every way for a run to end: nothing is left of it.

use std::{panic::AssertUnwindSafe, time::Duration};

use mt_beehive::TaskResult;

use crate::{
    bees::{Deed, DoerTasks, note, noted},
    scene::{block_on, check, children, hive, is_gone, reason, reign, until, wait_until},
};

/// A bee that is buried finishes what she has, and wants nothing more.
#[test]
fn rule_09_a_bee_that_is_told_to_die_finishes_what_she_has() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let folder = tempfile::tempdir().unwrap();
                let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
                let bee = hive.pid().await.0.ok().unwrap();
                let all = (0..10).map(|_| hive.await_notes(begun.clone(), go.clone(), 1));
                let all = futures::future::join_all(all);
                let buries = async {
                    until(|| noted(&begun) == 10).await;
                    hive.spawn();
                    hive.bury(Some(0));
                    // Somebody else does what comes now.
                    let (result, child) = hive.pid().await;
                    assert_ne!((result, child), (TaskResult::Succeeded(bee), Some(0)));
                    assert!(!is_gone(bee), "she has something to finish");
                    note(&go);
                    until(|| is_gone(bee)).await;
                };
                let (all, ()) = tokio::join!(all, buries);
                for (result, child) in all {
                    assert_eq!((result, child), (TaskResult::Succeeded(1), Some(0)));
                }
            },
        );
    });
}

/// Tasks are delegated while bees come and go: none is lost, none is charged.
#[test]
fn rule_08_die_crosses_with_accepts() {
    check(|| {
        reign(
            || hive(2).crash_limit(1),
            |hive| async move {
                let all = (0..2000_u64).map(|n| {
                    let hive = hive.clone();
                    async move {
                        if n % 200 == 0 {
                            hive.spawn();
                            hive.bury(None);
                        }
                        let (result, child) = hive.add(n, 1).await;
                        assert_eq!(result, TaskResult::Succeeded(n + 1));
                        assert!(child.is_some());
                    }
                });
                futures::future::join_all(all).await;
            },
        );
    });
}

/// What was delegated and is still awaited somewhere is finished before the hive dies.
#[test]
fn a_hive_finishes_what_others_still_wait_for() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
        let other = block_on(hive(1).run(async |hive| {
            let (begun_too, go_too) = (begun.clone(), go.clone());
            let other = std::thread::spawn(move || {
                let task = hive.await_notes(begun_too, go_too, 1);
                let done = futures::executor::block_on(task);
                let late = futures::executor::block_on(hive.add(1, 2));
                (done, late)
            });
            until(|| noted(&begun) == 1).await;
            let opener = std::thread::spawn(move || note(&go));
            (other, opener)
        }));
        let (other, opener) = other.unwrap();
        opener.join().unwrap();
        let (done, (late, child)) = other.join().unwrap();
        assert_eq!(done, (TaskResult::Succeeded(1), Some(0)));
        // After the end there is no hive, and that is told too.
        assert!(reason(late).contains("hive is"), "no bee is left");
        assert_eq!(child, None);
    });
}

#[test]
fn a_run_that_returns_an_error_leaves_nothing() {
    check(|| {
        let run = hive(2).run(async |hive| {
            let _ = hive.pid().await;
            Err::<(), _>("on purpose")
        });
        assert_eq!(block_on(run).unwrap(), Err("on purpose"));
        assert_eq!(children(), [0_u32; 0]);
    });
}

#[test]
fn a_run_whose_task_panics_leaves_nothing() {
    check(|| {
        let run = hive(2).run(async |hive| {
            let _ = hive.pid().await;
            let blocks = hive.act(Deed::Block);
            tokio::select! {
                _ = blocks => {}
                () = until(|| children().len() == 2) => {}
            }
            panic!("on purpose");
        });
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| block_on(run)));
        assert!(ended.is_err());
        wait_until(|| children().is_empty());
    });
}

/// At any moment: while bees are started, made, offered tasks, at work, and dying.
#[test]
fn a_run_dropped_at_any_moment_leaves_nothing() {
    check(|| {
        for millis in [0, 1, 2, 4, 8, 16, 32, 64] {
            let run = hive(2).run(async |hive| {
                let waits = (0..10).map(|_| hive.meet(usize::MAX));
                futures::future::join_all(waits).await;
            });
            let limit = Duration::from_millis(millis);
            let dropped = block_on(async { tokio::time::timeout(limit, run).await });
            assert!(dropped.is_err(), "they never meet");
            wait_until(|| children().is_empty());
        }
    });
}

/// What tasks have started goes with their bee, however she ends. One that dies by herself takes her group
/// along; what has left the group as well is nobody's.
#[test]
fn what_tasks_have_started_goes_with_the_bee() {
    check(|| {
        let pids = std::sync::Mutex::new(Vec::new());
        let keep = |pid: TaskResult<u32>| pids.lock().unwrap().push(pid.ok().unwrap());
        let keep = &keep;
        reign(
            || hive(1).crash_limit(1),
            |hive| async move {
                for end in [Deed::Abort, Deed::Signal(9)] {
                    keep(hive.leave(false).await.0);
                    let _ = hive.act(end).await;
                }
                for detached in [false, true] {
                    keep(hive.leave(detached).await.0);
                }
                let limit = Duration::from_millis(20);
                let _ = hive.act(Deed::Block).deadline(limit).await;
                for detached in [false, true] {
                    keep(hive.leave(detached).await.0);
                }
            },
        );
        let pids = pids.into_inner().unwrap();
        assert_eq!(pids.len(), 12);
        wait_until(|| pids.iter().all(|&pid| is_gone(pid)));
    });
}
