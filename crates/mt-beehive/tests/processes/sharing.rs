//! Rule 16: what waits behind a bee whose thread is held is done by one that is free.

use std::time::Duration;

use futures::future::{join, join_all};
use mt_beehive::{
    Hive,
    stats::{BeeState, BeeStatus},
};

use crate::{
    doer::{Deed, Doer, DoerTasks},
    nested::{Branch, BranchTasks as _},
    scene::{
        Folder, Live as _, bees_that, begun, check_async, either_way, hive, patient, ready_bees,
        test_with, with_hive,
    },
};

/// As many as were delegated when it was seen.
const MANY: u64 = 1000;

/// Does this while a bee is blocked, and then lets go of her.
async fn while_blocked(hive: &Hive<Doer>, output: impl AsyncFnOnce()) {
    let folder = Folder::temp();
    let during = async {
        begun(&folder, 1).await;
        output().await;
        folder.first("go");
    };
    let (blocked, ()) = join(hive.block_until(folder.clone()), during).await;
    blocked.unwrap();
}

/// Tasks that hold the thread, and tasks that await.
///
/// Case 33: A thousand tasks end while one of two bees is blocked.
#[test_with(either_way, || hive(2).deadlines(patient()))]
async fn rule_16_all_are_done_while_one_of_two_is_blocked(hive: Hive<Doer>) {
    ready_bees(&hive, 2).await;
    while_blocked(&hive, async || {
        let sums = join_all((0..MANY).map(|n| hive.add(n, 1))).await;
        assert!(sums.into_iter().eq((0..MANY).map(|n| Ok(n + 1))));
        let pids = join_all((0..MANY).map(|_| hive.pid())).await;
        assert!(pids.iter().all(Result::is_ok));
    })
    .await;
}

/// The one that blocks is among them, so that it is not known beforehand who that will be.
///
/// Case 33: Tasks that were given to a bee before she was blocked are done by the other.
#[test_with(either_way, || hive(2).deadlines(patient()))]
async fn rule_16_what_came_together_with_one_that_blocks_is_done(hive: Hive<Doer>) {
    ready_bees(&hive, 2).await;
    let folder = Folder::temp();
    let rest = async {
        let all = join_all((0..MANY).map(|_| hive.pid())).await;
        assert!(all.iter().all(Result::is_ok));
        folder.first("go");
    };
    let (blocked, ()) = join(hive.block_until(folder.clone()), rest).await;
    blocked.unwrap();
}

/// An `async fn` that does not give its thread back is no better than a plain one.
///
/// Case 33: Nothing waits for an asynchronous task that blocks.
#[test_with(either_way, || hive(2).deadlines(patient()))]
async fn rule_16_a_task_that_blocks_and_never_ends_holds_nobody_up(hive: Hive<Doer>) {
    ready_bees(&hive, 2).await;
    let folder = Folder::temp();
    let blocks = hive.note_and_act(folder.clone(), Deed::Block);
    let rest = async {
        begun(&folder, 1).await;
        join_all((0..MANY).map(|n| hive.add(n, 1))).await
    };
    let sums = crate::scene::beside(blocks, rest).await;
    assert!(sums.iter().all(Result::is_ok));
    let bees = hive.bees().await;
    let blocked = bees.iter().find(|bee| bee.tasks == 1);
    hive_lets_go(&hive, blocked.map(|bee| bee.id)).await;
}

/// Whoever is blocked for good is killed, as the hive could not die otherwise.
async fn hive_lets_go(hive: &Hive<Doer>, bee: Option<u32>) {
    let pid = hive
        .bees()
        .await
        .iter()
        .find(|it| Some(it.id) == bee)
        .and_then(|it| it.pid);
    if let Some(pid) = pid {
        crate::scene::signal(pid, crate::scene::Signal::KILL);
        bees_that(hive, |bees| bees.iter().all(|it| it.pid != Some(pid))).await;
    }
}

/// Case 33: With one bee alone, what waits for her is done when she lets go.
#[test_with(either_way, || hive(1).deadlines(patient()))]
async fn rule_16_one_alone_does_all_in_the_end(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let rest = async {
        begun(&folder, 1).await;
        let go = async {
            bees_that(&hive, |bees| bees[0].tasks > 1).await;
            folder.first("go");
        };
        join(join_all((0..MANY).map(|n| hive.add(n, 1))), go)
            .await
            .0
    };
    let (blocked, sums) = join(hive.block_until(folder.clone()), rest).await;
    blocked.unwrap();
    assert!(sums.iter().all(Result::is_ok));
}

/// Case 33: A bee that joins a blocked one does what waits there.
#[test_with(either_way, || hive(1).deadlines(patient()))]
async fn rule_16_a_bee_that_joins_does_what_waits_for_a_blocked_one(hive: Hive<Doer>) {
    while_blocked(&hive, async || {
        let all = join_all((0..MANY).map(|n| hive.add(n, 1)));
        let spawn = async {
            bees_that(&hive, |bees| bees[0].tasks > 1).await;
            hive.spawn().await
        };
        let (sums, bee) = join(all, spawn).await;
        assert!(sums.iter().all(Result::is_ok) && bee == Some(1));
    })
    .await;
}

/// Tasks of a millisecond and more, one after the other: nobody is idle while another has some that wait.
///
/// Case 33: Tasks that hold the thread are shared, whoever they were given to first.
#[test_with(either_way, || hive(2).deadlines(patient()))]
async fn rule_16_work_is_shared_by_whoever_is_free(hive: Hive<Doer>) {
    ready_bees(&hive, 2).await;
    while_blocked(&hive, async || {
        let time = Duration::from_millis(2);
        let all = (0..100).map(|_| hive.block_for(time).with_bee());
        let by = join_all(all)
            .await
            .into_iter()
            .map(|(done, by)| (done.is_ok(), by));
        let by: Vec<_> = by.collect();
        assert!(by.iter().all(|&it| it == by[0]), "all by the same: {by:?}");
    })
    .await;
}

/// Case 33: A bee that is told to die while she is blocked leaves to others what she has not begun.
#[test_with(either_way, || hive(2).deadlines(patient()))]
async fn rule_16_a_dying_bee_keeps_nothing_she_has_not_begun(hive: Hive<Doer>) {
    ready_bees(&hive, 2).await;
    let folders = [Folder::temp(), Folder::temp()];
    let [first, second] = &folders;
    let rest = async {
        begun(first, 1).await;
        begun(second, 1).await;
        let all = join_all((0..MANY).map(|n| hive.add(n, 1)));
        let bury = async {
            let bees = bees_that(&hive, |bees| bees.iter().all(|bee| bee.tasks > 1)).await;
            let pid = u32::try_from(first.noted("begun")[0]).ok();
            let bee = bees.iter().find(|bee| bee.pid == pid).unwrap();
            drop(hive.bury(Some(bee.id)));
            second.first("go");
        };
        let (sums, ()) = join(all, bury).await;
        assert!(sums.iter().all(Result::is_ok));
        first.first("go");
    };
    let blocked = folders
        .each_ref()
        .map(|folder| hive.block_until((*folder).clone()));
    let (blocked, ()) = join(join_all(blocked), rest).await;
    assert!(blocked.iter().all(Result::is_ok));
    let is_one = |bees: &[BeeStatus]| matches!(bees, [bee] if bee.state == BeeState::Ready);
    bees_that(&hive, is_one).await;
}

/// Case 33: In a hive in a hive, too.
#[test_with(check_async)]
async fn rule_16_in_a_hive_in_a_hive_nothing_waits_for_a_blocked_bee() {
    let hive = mt_beehive::hive_of::<Branch>(None).processes(1);
    let run = hive.deadlines(patient()).live(async |hive| {
        let folder = Folder::temp();
        hive.sum_beside_a_blocked_one(folder.clone(), (0..MANY).collect())
            .await
    });
    assert_eq!(run.await.unwrap(), MANY * (MANY - 1));
}

/// Case G2: What a killed bee had not begun is done elsewhere as its first attempt, also when no task may be begun twice.
#[test_with(with_hive, hive(2).crash_limit(1).deadlines(patient()))]
async fn rule_06_what_a_killed_bee_had_not_begun_is_not_charged(hive: Hive<Doer>) {
    let bees = ready_bees(&hive, 2).await;
    let pids: Vec<u32> = bees.iter().filter_map(|bee| bee.pid).collect();
    let folder = Folder::temp();
    // Both are blocked, so whatever comes waits for one of them.
    let blocked = [0, 1].map(|_| hive.block_until(folder.clone()));
    let rest = async {
        begun(&folder, 2).await;
        let all = join_all((0..100).map(|n| hive.add(n, 1)));
        let kill = async {
            bees_that(&hive, |bees| bees.iter().all(|bee| bee.tasks > 1)).await;
            for &pid in &pids {
                crate::scene::signal(pid, crate::scene::Signal::KILL);
            }
        };
        join(all, kill).await.0
    };
    let (blocked, sums) = join(join_all(blocked), rest).await;
    for lost in blocked {
        assert_eq!(crate::scene::lost(lost).1, 1);
    }
    assert!(sums.iter().all(Result::is_ok), "{sums:?}");
}
