//! Rules 8 and 9: die, and what is under way. And every way for a hive to end: nothing is left of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
    time::Duration,
};

use futures::{executor, future::join_all};
use mt_beehive::{CancelReason, Hive, error::NoWorkers};

use crate::{
    doer::{Deed, Doer, DoerTasks},
    scene::{
        Folder, Live as _, begun, block_on, both_ways, check, check_async, children, either_way,
        hive, is_gone, patient, reason, test_with, until, wait_until,
    },
};

/// A bee that is buried finishes what it has, and wants nothing more.
#[test_with(either_way, || hive(1))]
async fn rule_09_a_bee_that_is_told_to_die_finishes_what_she_has(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let bee = hive.pid().await.unwrap();
    let buries = async {
        begun(&folder, 10).await;
        hive.spawn();
        hive.bury(Some(0));
        // Somebody else does what comes now.
        assert_ne!(hive.pid().with_bee().await, (Ok(bee), Some(0)));
        assert!(!is_gone(bee), "she has something to finish");
        folder.first("go");
        until(|| is_gone(bee)).await;
    };
    let all = (0..10).map(|_| hive.wait_to_go(folder.clone()).with_bee());
    let (all, ()) = tokio::join!(join_all(all), buries);
    assert!(all.into_iter().all(|done| done == (Ok(1), Some(0))));
}

/// Tasks are delegated while bees come and go: none is lost, none is charged.
#[test_with(either_way, || hive(2).crash_limit(1))]
async fn rule_08_die_crosses_with_accepts(hive: Hive<Doer>) {
    let all = (0..2000_u64).map(async |n| {
        if n % 200 == 0 {
            hive.spawn();
            hive.bury(None);
        }
        let (result, child) = hive.add(n, 1).with_bee().await;
        assert_eq!(result, Ok(n + 1));
        assert!(child.is_some());
    });
    join_all(all).await;
}

/// What was delegated and is still awaited somewhere is finished before the hive dies.
#[test_with(check_async)]
async fn a_hive_finishes_what_others_still_wait_for() {
    let folder = Folder::temp();
    let run = hive(1).live(async |hive| {
        let there = folder.clone();
        let other = thread::spawn(move || {
            let done = executor::block_on(hive.wait_to_go(there).with_bee());
            let late = executor::block_on(hive.add(1, 2).with_bee());
            (done, late)
        });
        begun(&folder, 1).await;
        let there = folder.clone();
        thread::spawn(move || there.first("go"));
        other
    });
    let (done, (late, child)) = run.await.join().unwrap();
    assert_eq!(done, (Ok(1), Some(0)));
    // After the end there is no hive, and that is told too.
    let why = reason(late);
    let buried = CancelReason::NoWorkers(NoWorkers::Buried);
    assert!([CancelReason::HiveClosed, buried].contains(&why), "{why}");
    assert_eq!(child, None);
}

#[test_with(check)]
fn a_run_that_returns_an_error_leaves_nothing() {
    let run = hive(2).run(async |hive| {
        hive.pid().await?;
        Err::<(), _>(anyhow::anyhow!("on purpose"))
    });
    assert_eq!(block_on(run).unwrap_err().to_string(), "on purpose");
    assert_eq!(children(), [0_u32; 0]);
}

/// Case H17: A task that panics, in place of a queen, leaves nothing of its hive.
#[test_with(check)]
fn a_run_whose_task_panics_leaves_nothing() {
    let run = hive(2).run(async |hive| -> anyhow::Result<()> {
        hive.pid().await?;
        tokio::select! {
            _ = hive.act(Deed::Block) => {}
            () = until(|| children().len() == 2) => {}
        }
        panic!("on purpose");
    });
    let ended = catch_unwind(AssertUnwindSafe(|| block_on(run)));
    assert!(ended.is_err());
    wait_until(|| children().is_empty());
}

/// At any moment: while bees are started, made, offered tasks, at work, and dying.
///
/// Case H18: A hive that is dropped, at any moment, leaves nothing.
#[test_with(check)]
fn a_run_dropped_at_any_moment_leaves_nothing() {
    for millis in [0, 1, 2, 4, 8, 16, 32, 64] {
        let run = hive(2).run(async |hive| {
            join_all((0..10).map(|_| hive.meet(usize::MAX))).await;
            anyhow::Ok(())
        });
        let limit = Duration::from_millis(millis);
        let dropped = block_on(async { tokio::time::timeout(limit, run).await });
        assert!(dropped.is_err(), "they never meet");
        wait_until(|| children().is_empty());
    }
}

/// A hive as a value is shut down in peace: what was begun ends, and only then is it gone.
///
/// Case H19: `shutdown` lets bees finish what they have; what is delegated after it is `HiveClosed`.
#[test_with(check_async)]
async fn a_running_hive_finishes_what_it_has_and_is_gone_after_its_shutdown() {
    let folder = Folder::temp();
    let hive = hive(2).start().unwrap();
    let (there, clone) = (folder.clone(), hive.clone());
    // In a task of the runtime's own, on a clone.
    let task = tokio::spawn(async move { clone.wait_to_go(there).await });
    begun(&folder, 1).await;
    let (kept, pids) = (hive.clone(), children());
    let opens = async { folder.first("go") };
    let ((), opens) = tokio::join!(hive.shutdown(), opens);
    assert!(opens && pids.iter().all(|&pid| is_gone(pid)));
    assert_eq!(task.await.unwrap(), Ok(1));
    let late = kept.add(1, 2).await;
    assert_eq!(reason(late), CancelReason::HiveClosed);
    assert_eq!(kept.stats().await.succeeded, 1);
}

/// Dropped, a hive as a value is killed with what it does, whatever it does; it needs no runtime for that.
///
/// Case H20: A hive as a value that is dropped kills its bees, and delegates under way are `HiveClosed`.
#[test_with(check)]
fn a_running_hive_that_is_dropped_leaves_nothing() {
    let hive = hive(2).start().unwrap();
    let (folder, clone) = (Folder::temp(), hive.clone());
    let there = folder.clone();
    let blocks = thread::spawn(move || executor::block_on(clone.block_until(there)));
    wait_until(|| !folder.noted("begun").is_empty());
    drop(hive);
    assert_eq!(children(), [0_u32; 0]);
    let why = reason(blocks.join().unwrap());
    assert_eq!(why, CancelReason::HiveClosed);
}

/// What tasks have started goes with their bee, however that ends. One that dies by itself takes its group
/// along; what has left the group as well is nobody's.
///
/// Case H21: What tasks have started goes with their bee.
#[test_with(check)]
fn what_tasks_have_started_goes_with_the_bee() {
    let pids = Mutex::new(Vec::new());
    let hive = || hive(1).crash_limit(1);
    both_ways(hive, async |hive| {
        let leave = async |detached| {
            let pid = hive.leave(detached).await.unwrap();
            pids.lock().unwrap().push(pid);
        };
        for end in [Deed::Abort, Deed::Signal(9)] {
            leave(false).await;
            let _ = hive.act(end).await;
        }
        leave(false).await;
        leave(true).await;
        let limit = Duration::from_millis(20);
        let _ = hive.act(Deed::Block).deadline(limit).await;
        leave(false).await;
        leave(true).await;
    });
    let pids = pids.into_inner().unwrap();
    assert_eq!(pids.len(), 12);
    wait_until(|| pids.iter().all(|&pid| is_gone(pid)));
}

/// Case 15: A bee goes when she is told to, past a thread that her tasks have left blocked.
#[test_with(check)]
fn a_bee_waits_for_no_blocking_thread() {
    both_ways(
        || hive(1).deadlines(patient()),
        async |hive| {
            let bee = hive.leave_a_thread().await.unwrap();
            hive.bury(Some(0));
            until(|| is_gone(bee)).await;
        },
    );
}
