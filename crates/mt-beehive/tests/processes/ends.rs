//! Hives that end, or are left, at odd moments; and what must not hold them up.

use std::{
    task::{Context, Waker},
    time::Duration,
};

use futures::future::join_all;
use mt_beehive::{CancelReason, DelegateError, Hive, Population};
use mt_test_kit::wait_until_gone;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    doer::{Doer, DoerTasks},
    scene::{
        Folder, LONG, Live as _, Signal, assert_late, begun, beside, check_async, children, hive,
        is_gone, patient, quick, ready_bees, reason, signal, stop, test_with, watched, with_hive,
    },
};

/// A task that is begun, and goes on in a task of tokio's.
async fn held(hive: &Hive<Doer>) -> JoinHandle<()> {
    let folder = Folder::temp();
    let wait = hive.wait(folder.clone());
    let task = tokio::spawn(async move { drop(wait.await) });
    begun(&folder, 1).await;
    task
}

#[test_with(check_async)]
async fn a_run_that_is_dropped_while_its_hive_dies_takes_its_bees_along() {
    let (told, bee) = oneshot::channel();
    let mut run = Box::pin(hive(1).run(async |hive| {
        let pid = hive.pid().await?;
        held(&hive).await;
        told.send(pid).unwrap();
        anyhow::Ok(())
    }));
    let pid = beside(&mut run, bee).await.unwrap();
    // Not polled since: the hive is told now that this is its end.
    let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    assert!(!is_gone(pid));
    drop(run);
    wait_until_gone(&[pid]);
}

#[test_with(check_async)]
async fn a_delegate_that_is_dropped_while_its_hive_dies_is_cancelled() {
    let (kept, keeps) = oneshot::channel();
    let run = hive(1).live(async |hive| {
        let task = held(&hive).await;
        assert!(kept.send((hive.clone(), task)).is_ok());
    });
    let dropper = async {
        let (hive, task) = keeps.await.unwrap();
        until_closed(&hive).await;
        task.abort();
    };
    tokio::join!(run, dropper);
}

/// Case H63: A hive that is shut down within a time finishes what it has, takes nothing more, and tells that.
#[test_with(check_async)]
async fn what_ends_within_the_grace_is_finished() {
    let hive = hive(1).start().unwrap();
    let folder = Folder::temp();
    let handle = hive.clone();
    let task = handle.wait_to_go(folder.clone());
    let ends = async {
        begun(&folder, 1).await;
        hive.shutdown_within(LONG).await
    };
    let opens = async {
        begun(&folder, 1).await;
        // Nothing is taken any more, and the task goes on.
        until_closed(&handle).await;
        folder.first("go");
    };
    let (done, end, ()) = tokio::join!(task, ends, opens);
    assert_eq!(done, Ok(1));
    assert!(end.is_graceful() && end.tasks > 0, "{end:?}");
    assert_eq!(end.bees, 1);
    assert_eq!(children(), [0_u32; 0]);
}

/// Whatever tasks are at, waiting ones too.
///
/// Case H64: What has not ended when the time is over that a hive had for its end is cancelled, and no process is left.
#[test_with(check_async)]
async fn what_does_not_end_within_the_grace_is_cancelled() {
    for grace in [Duration::ZERO, Duration::from_millis(100)] {
        let hive = hive(2).max_concurrency(1).start().unwrap();
        let folder = Folder::temp();
        let handle = hive.clone();
        let ends = async {
            begun(&folder, 2).await;
            hive.shutdown_within(grace).await
        };
        let (waits, blocks) = (handle.wait(folder.clone()), async {
            begun(&folder, 1).await;
            handle.block_until(folder.clone()).await
        });
        let queued = async {
            begun(&folder, 2).await;
            handle.add(1, 2).await
        };
        let (waits, blocks, queued, end) = tokio::join!(waits, blocks, queued, ends);
        for reason in [reason(waits), reason(blocks), reason(queued)] {
            assert_eq!(reason, CancelReason::HiveClosed);
        }
        // The third may come when nothing is taken any more.
        assert!((2..=3).contains(&end.tasks), "{end:?}");
        assert_eq!((end.cancelled_tasks, end.bees), (end.tasks, 2));
        assert!(!end.is_graceful());
        assert_eq!(children(), [0_u32; 0]);
    }
}

/// Waits until nothing is taken any more.
async fn until_closed(hive: &Hive<Doer>) {
    while !matches!(hive.pid().await, Err(DelegateError::Cancelled(_))) {}
}

/// From the shortest to the longest there may be.
#[test_with(check_async)]
async fn any_period_will_do() {
    for millis in [1, 365 * 24 * 3_600_000] {
        let population = Population::Elastic {
            min: 1,
            max: 1,
            period: Duration::from_millis(millis),
        };
        let hive = hive(1).processes(population);
        hive.live(async |hive| hive.pid().await).await.unwrap();
    }
}

#[test_with(with_hive, hive(1).deadlines(patient()))]
async fn a_task_that_panics_when_it_is_cancelled_is_cancelled(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let pid = hive.pid().await;
    let bomb = || hive.wait_with_a_bomb(folder.clone());
    beside(bomb(), begun(&folder, 1)).await;
    assert_late(bomb().deadline(Duration::from_millis(1)).await);
    assert_eq!(hive.pid().await, pid);
    assert_eq!(hive.stats().await.bees_lost, 0);
}

/// Tasks that a bee was asked about and has not said anything to go to others.
///
/// Case H11: A bee that is stopped waits, and what it was offered goes to others.
#[test_with(with_hive, hive(2).workers(watched(quick())))]
async fn a_stopped_bee_holds_up_nobody(hive: Hive<Doer>) {
    let bees = ready_bees(&hive, 2).await;
    let stopped = bees[0].pid.unwrap();
    stop(stopped);
    let done = (Ok(bees[1].pid.unwrap()), Some(bees[1].id));
    let all = join_all((0..100).map(|_| hive.pid().with_bee())).await;
    assert!(all.into_iter().all(|one| one == done));
    signal(stopped, Signal::CONT);
    // She is one of them again.
    while hive.pid().await != Ok(stopped) {}
}
