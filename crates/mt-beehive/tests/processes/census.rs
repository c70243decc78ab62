//! What a hive tells of its bees and of itself.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::future::{join, join_all};
use mt_beehive::{
    BeehiveRun, DelegateError, Hive,
    limits::Deadlines,
    stats::{BeeState, BeeStatus, Health, HiveStats},
};

use crate::{
    doer::{Deed, Doer, DoerTasks},
    scene::{
        Folder, Live as _, Signal, assert_late, bees_that, begun, beside, check_async, hive,
        is_gone, patient, quick, ready_bees, signal, test_with, until, watched, with_hive,
    },
};

fn clerks(bees: usize) -> BeehiveRun<Doer> {
    hive(bees).max_concurrency(4).deadlines(patient())
}

/// Case H48: `bees` tells the bees there are, with what they have.
#[test_with(check_async)]
async fn bees_tell_who_they_are_and_what_they_have() {
    let run = clerks(2).live(async |hive| {
        let bees = ready_bees(&hive, 2).await;
        assert_eq!([bees[0].id, bees[1].id], [0, 1]);
        let idle = |bee: &BeeStatus| (bee.tasks, bee.busy, bee.health) == (0, 0.0, Health::Well);
        assert!(bees.iter().all(idle), "{bees:?}");
        let (pid, by) = hive.pid().with_bee().await;
        let by = bees.iter().find(|bee| Some(bee.id) == by).unwrap();
        assert_eq!(pid.ok(), by.pid);
        let folder = Folder::temp();
        let held = join_all((0..6).map(|_| hive.wait(folder.clone())));
        let has_six = |bees: &[BeeStatus]| bees.iter().map(|bee| bee.tasks).sum::<usize>() == 6;
        let bees = beside(held, bees_that(&hive, has_six)).await;
        let busy = |bee: &BeeStatus| bee.busy == bee.tasks as f64 / 4.0;
        assert!(bees.iter().all(busy), "{bees:?}");
        hive.clone()
    });
    assert_eq!(run.await.bees().await, [], "there are none any more");
}

/// Case H47: `spawn` tells the id of the bee, `bury` when it is gone, and both do it whether or not they are awaited.
#[test_with(check_async)]
async fn bees_that_are_asked_for_have_an_id_and_those_that_are_buried_are_gone() {
    let run = clerks(1).live(async |hive| {
        let second = hive.spawn().await;
        assert_eq!(second, Some(1));
        let pid = ready_bees(&hive, 2).await[1].pid.unwrap();
        assert!(!is_gone(pid));
        assert_eq!(hive.bury(second).await, second);
        assert!(is_gone(pid));
        assert_eq!(hive.bury(second).await, None, "gone already");
        assert_eq!(hive.bury(None).await, Some(0), "the last");
        drop(hive.spawn());
        let (_, by) = hive.pid().with_bee().await;
        assert_eq!(by, Some(2), "it is done all the same");
        hive
    });
    let hive = run.await;
    assert_eq!(hive.spawn().await, None, "it is dead");
    assert_eq!(hive.bury(None).await, None);
}

/// Case H49: `stats` tells what a hive has done, also when it is dead.
#[test_with(check_async)]
async fn a_hive_tells_what_it_has_done_also_afterwards() {
    let folder = Folder::temp();
    let run = clerks(1).live(async |hive| {
        hive.pid().await.unwrap();
        let failed = hive.fail().await;
        assert!(matches!(failed, Err(DelegateError::Raised(_))));
        hive.act(Deed::AbortFirst(folder.clone())).await.unwrap();
        let held = hive.wait(folder.clone());
        assert_late(held.deadline(Duration::from_millis(20)).await);
        let stats = hive.stats().await;
        assert_eq!((stats.bees_started, stats.bees_lost), (2, 1));
        hive
    });
    let mut expected = HiveStats::default();
    (expected.delegated, expected.succeeded) = (4, 2);
    (expected.raised, expected.cancelled) = (1, 1);
    (expected.begun_again, expected.bees_started) = (1, 2);
    expected.bees_lost = 1;
    assert_eq!(run.await.stats().await, expected);
}

#[test_with(with_hive, clerks(1).workers(watched(quick())))]
async fn a_stopped_bee_is_told_of_and_left_alone(hive: Hive<Doer>) {
    let is = |health| move |bees: &[BeeStatus]| matches!(bees, [bee] if bee.health == health);
    let pid = hive.pid().await.unwrap();
    signal(pid, Signal::STOP);
    bees_that(&hive, is(Health::Stopped)).await;
    signal(pid, Signal::CONT);
    bees_that(&hive, is(Health::Well)).await;
    assert_eq!(hive.pid().with_bee().await, (Ok(pid), Some(0)));
}

#[test]
fn a_blocked_bee_is_told_of_and_left_alone() {
    let no_grace = Deadlines::new().cancel_grace(Duration::ZERO);
    let clerks = clerks(1).workers(watched(quick())).deadlines(no_grace);
    with_hive(clerks, async |hive| {
        let is_blocked = |bees: &[BeeStatus]| matches!(bees, [bee] if matches!(bee.health, Health::Blocked { .. }));
        let bees = beside(hive.act(Deed::Block), bees_that(&hive, is_blocked)).await;
        assert_eq!(bees[0].state, BeeState::Ready);
    });
}

/// Case G7: A hive that is dying tells of the bees that are there still, and in which state.
#[test_with(check_async)]
async fn a_dying_hive_tells_of_the_bees_that_are_left() {
    let folder = Folder::temp();
    let kept = Rc::new(RefCell::new(None));
    let run = clerks(2).live(async |hive| {
        kept.replace(Some(hive.clone()));
        // Bees that are told to die finish what they have: this one has a task that nobody cancels.
        let task = tokio::task::spawn_local({
            let (hive, folder) = (hive.clone(), folder.clone());
            async move { hive.wait_to_go(folder).await }
        });
        ready_bees(&hive, 2).await;
        begun(&folder, 1).await;
        Some(task)
    });
    let asks = async {
        until(|| folder.noted("begun").len() == 1).await;
        let hive = kept.borrow().clone().unwrap();
        // As soon as nothing more is taken.
        until_dying(&hive).await;
        let bees = hive.bees().await;
        assert_eq!(bees.len(), 2, "{bees:?}");
        assert!(bees.iter().any(|bee| bee.tasks == 1), "{bees:?}");
        folder.first("go");
        hive
    };
    let local = tokio::task::LocalSet::new();
    let (task, hive) = local.run_until(join(run, asks)).await;
    assert_eq!(task.unwrap().await.unwrap(), Ok(1));
    assert_eq!(hive.bees().await, [], "gone");
}

/// Waits until the hive takes nothing more.
async fn until_dying(hive: &Hive<Doer>) {
    while hive.pid().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
