//! Rule 11: what nobody waits for any more is cancelled, and over when it is told. Rule 10: nothing is begun
//! again before whoever had it is gone. And how long what is cancelled, or told to die, may take.

use std::time::Duration;

use futures::future::join_all;
use mt_beehive::{BeehiveRun, CancelReason, DelegateError, Hive, hive_of, limits::Deadlines};

use crate::{
    doer::{Birth, Deed, Doer, DoerTasks, GONE},
    scene::{
        Folder, LONG, Live as _, assert_late, begun, block_on, check, either_way, hive, is_gone,
        patient, reason, test_with, until,
    },
};

const LIMIT: Duration = Duration::from_millis(50);

/// A hive that leaves cancelled tasks all the time they want.
fn patient_hive() -> BeehiveRun<Doer> {
    hive(1).deadlines(patient())
}

async fn pid(hive: &Hive<Doer>) -> u32 {
    hive.pid().await.unwrap()
}

/// Case H14: A delegate that is never awaited is nothing.
#[test_with(either_way, || hive(1))]
async fn rule_11_a_delegate_that_is_never_awaited_is_nothing(hive: Hive<Doer>) {
    let folder = Folder::temp();
    drop(hive.wait(folder.clone()));
    assert_eq!(hive.add(1, 2).await, Ok(3));
    assert_eq!(folder.noted("begun").len(), 0);
}

/// The task's future is dropped in the bee, at the `await` where it is, and the bee goes on.
///
/// Case R19: Dropping a delegate ends its task at the `await` where it is, and the bee goes on.
#[test_with(either_way, patient_hive)]
async fn rule_11_a_delegate_dropped_while_it_runs_is_gone_from_the_bee(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let bee = pid(&hive).await;
    tokio::select! {
        _ = hive.wait(folder.clone()) => panic!("it waits for ever"),
        () = begun(&folder, 1) => {}
    }
    until(|| folder.noted("dropped").len() == 1).await;
    assert_eq!(pid(&hive).await, bee, "she was not killed for it");
}

#[test_with(either_way, || hive(1).max_concurrency(1))]
async fn rule_11_a_delegate_dropped_before_a_bee_has_it_is_never_begun(hive: Hive<Doer>) {
    let [folder, second] = [Folder::temp(), Folder::temp()];
    let drops = async {
        begun(&folder, 1).await;
        let waits = hive.wait(second.clone());
        let polled = tokio::time::timeout(Duration::from_millis(1), waits).await;
        assert!(polled.is_err());
        folder.first("go");
    };
    let (first, ()) = tokio::join!(hive.wait_to_go(folder.clone()), drops);
    assert_eq!(first, Ok(1));
    assert_eq!(hive.add(1, 2).await, Ok(3));
    assert_eq!(second.noted("begun").len(), 0);
}

#[test_with(either_way, || hive(2).max_concurrency(16))]
async fn rule_11_many_dropped_at_once(hive: Hive<Doer>) {
    for n in 0..50_u32 {
        let all = join_all((0..64).map(|a| hive.add(a, 1)));
        // Some have ended, some run, some are on offer, some wait.
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(n) * 20), all).await;
    }
    assert_eq!(hive.add(1, 2).await, Ok(3));
}

/// Case H12: A deadline ends a task that awaits; when it is told nobody does the task, and the bee goes on.
#[test_with(either_way, patient_hive)]
async fn rule_11_a_deadline_ends_what_awaits(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let bee = pid(&hive).await;
    let result = hive.wait(folder.clone()).deadline(LIMIT).await;
    assert_eq!(reason(result), CancelReason::Deadline { limit: LIMIT });
    // If it was begun, it is over: nobody does it when that is told.
    assert_eq!(folder.noted("dropped"), folder.noted("begun"));
    assert_eq!(pid(&hive).await, bee, "she let go of it");
}

/// The bee is killed. What else it did is begun again, and not charged: with one attempt more it would be lost.
///
/// Case H13: A bee that does not let go of a task is killed, and what else it did is begun again, not charged.
#[test_with(either_way, || hive(1).crash_limit(2))]
async fn rule_10_a_bee_that_blocks_past_a_deadline_is_killed_and_the_others_go_on(
    hive: Hive<Doer>,
) {
    let folder = Folder::temp();
    let others = (0..10).map(|_| hive.wait_to_go(folder.clone()).with_bee());
    let blocks = async {
        for round in 1..=3 {
            begun(&folder, 10 * round).await;
            let bee = pid(&hive).await;
            let blocks = hive.act(Deed::Block).deadline(LIMIT);
            let (result, child) = blocks.with_bee().await;
            assert_eq!(reason(result), CancelReason::Deadline { limit: LIMIT });
            assert_eq!(child, None);
            assert!(is_gone(bee), "told when she is gone, not before");
        }
        begun(&folder, 40).await;
        folder.first("go");
    };
    let (others, ()) = tokio::join!(join_all(others), blocks);
    assert!(others.into_iter().all(|other| other == (Ok(4), Some(3))));
}

/// Dropped, it is cancelled like one that is past its deadline; whoever does not let go is killed.
#[test_with(either_way, || hive(1))]
async fn rule_11_a_delegate_dropped_while_it_blocks_costs_the_bee(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let bee = pid(&hive).await;
    tokio::select! {
        _ = hive.block_until(folder.clone()) => panic!("it blocks for ever"),
        () = begun(&folder, 1) => {}
    }
    until(|| is_gone(bee)).await;
    assert_ne!(pid(&hive).await, bee, "another one is there");
}

/// Whether a bee that is made, and takes so long to go, does so in peace after this.
fn goes_in_peace(
    time: Duration,
    deadlines: Deadlines,
    story: impl AsyncFnOnce(Hive<Doer>),
) -> bool {
    let folder = Folder::temp();
    let hive = hive_of::<Doer>(Birth::GoesSlowly(folder.clone(), time)).processes(1);
    let run = hive.deadlines(deadlines).live(async |hive| {
        pid(&hive).await;
        story(hive).await;
    });
    block_on(run);
    folder.noted("gone") == [GONE]
}

#[test_with(check)]
fn a_long_cancel_grace_spares_a_bee_that_blocks() {
    let peace = goes_in_peace(Duration::ZERO, patient(), async |hive| {
        let before = pid(&hive).await;
        let overruns = hive.block_for(4 * LIMIT).deadline(LIMIT).await;
        // Whether its end or the deadline comes first, it has one end.
        assert!(matches!(
            overruns,
            Ok(()) | Err(DelegateError::Cancelled(_))
        ));
        assert_eq!(pid(&hive).await, before);
    });
    assert!(peace);
}

/// Case H33: With a `cancel_grace` of zero every cancelling kills.
#[test_with(either_way, || hive(1).deadlines(Deadlines::new().cancel_grace(Duration::ZERO)))]
async fn without_a_cancel_grace_every_cancelling_kills(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let before = pid(&hive).await;
    assert_late(hive.wait(folder.clone()).deadline(LIMIT).await);
    assert_ne!(pid(&hive).await, before);
}

/// Case H31: A bee has `exit_grace` to close what it has open.
#[test_with(check)]
fn a_long_exit_grace_lets_a_bee_close_what_she_has_open() {
    let graces = Deadlines::new().exit_grace(LONG);
    assert!(goes_in_peace(4 * LIMIT, graces, async |_| {}));
}

/// Case H32: A bee that takes longer than `exit_grace` is killed.
#[test_with(check)]
fn a_short_exit_grace_makes_an_end_of_one_that_does_not_go() {
    let graces = Deadlines::new().exit_grace(LIMIT);
    assert!(!goes_in_peace(LONG, graces, async |_| {}));
}
