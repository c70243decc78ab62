//! Rule 4: a bee that joins gets what waits. How many bees there are, and who may ask for them.

use std::time::Duration;

use futures::{
    FutureExt,
    executor::block_on,
    future::{join_all, try_join_all},
};
use mt_beehive::{BeehiveRun, CancelReason, Hive, Population, error::NoWorkers};

use crate::{
    doer::{Doer, DoerTasks},
    scene::{Folder, Live as _, check_async, children, either_way, hive, reason, test_with, until},
};

/// The first delegate does not wait for anything but a bee's birth.
#[test_with(either_way, || hive(1))]
async fn rule_04_what_is_delegated_before_there_are_bees_is_done(hive: Hive<Doer>) {
    let all = try_join_all((0..100).map(|n| hive.add(n, 1))).await;
    assert_eq!(all, Ok((1..=100).collect()));
}

#[test_with(either_way, || hive(1))]
async fn bees_come_and_go_as_the_queen_wants(hive: Hive<Doer>) {
    hive.spawn();
    hive.spawn();
    until(|| children().len() == 3).await;
    hive.bury(Some(1));
    until(|| children().len() == 2).await;
    hive.bury(Some(1));
    hive.bury(Some(77));
    hive.bury(None);
    until(|| children().len() == 1).await;
    assert_eq!(hive.add(1, 2).await, Ok(3));
    hive.bury(None);
    until(|| children().is_empty()).await;
    // Without bees a task waits for one.
    let (waits, ()) = tokio::join!(hive.add(1, 2).with_bee(), async {
        tokio::task::yield_now().await;
        hive.spawn();
    });
    assert_eq!(waits, (Ok(3), Some(3)));
}

/// Nobody is left to do it, and nobody can ask for a bee any more.
#[test_with(check_async)]
async fn a_hive_that_has_buried_its_last_bee_dies_all_the_same() {
    let run = hive(1).live(async |hive| {
        hive.pid().await.unwrap();
        hive.bury(None);
        until(|| children().is_empty()).await;
        let (polled, is_polled) = tokio::sync::oneshot::channel();
        let other = std::thread::spawn(move || {
            let mut task = hive.add(1, 2).with_bee();
            let first = (&mut task).now_or_never();
            assert!(first.is_none(), "nobody can have done it");
            polled.send(()).unwrap();
            block_on(task)
        });
        is_polled.await.unwrap();
        other
    });
    let (result, child) = run.await.join().unwrap();
    let why = CancelReason::NoWorkers(NoWorkers::Buried);
    assert_eq!((reason(result), child), (why, None));
}

/// From one bee to three, each with a place for one task.
fn elastic() -> BeehiveRun<Doer> {
    let population = Population::Elastic {
        min: 1,
        max: 3,
        period: Duration::from_millis(20),
    };
    hive(1).processes(population).max_concurrency(1)
}

/// As many as the tasks that wait need, one a period; the seed's rule for fewer needs a full machine.
///
/// Case R20: A hive that may grow has more bees while tasks wait, and never more than it may have.
#[test_with(either_way, elastic)]
async fn an_elastic_hive_grows_while_there_is_more_to_do(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let opens = async {
        // A machine that is full for other reasons has no room for more.
        let full = || mt_pool::load::used_cpu_too_much() || mt_pool::load::used_memory_too_much();
        until(|| folder.noted("begun").len() == 3 || full()).await;
        assert!(children().len() <= 3);
        folder.first("go");
    };
    let all = join_all((0..6).map(|_| hive.wait_to_go(folder.clone())));
    let (all, ()) = tokio::join!(all, opens);
    assert!(all.into_iter().all(|done| done == Ok(1)));
}

/// Case H4: A hive may be used from several threads.
#[test_with(either_way, || hive(2))]
async fn a_hive_is_used_from_several_threads(hive: Hive<Doer>) {
    let threads = [0_u64, 1, 2, 3].map(|thread| {
        let hive = hive.clone();
        std::thread::spawn(move || {
            let all = try_join_all((0..500).map(|n| hive.add(n, thread)));
            assert_eq!(block_on(all), Ok((thread..500 + thread).collect()));
        })
    });
    until(|| threads.iter().all(|thread| thread.is_finished())).await;
    for thread in threads {
        thread.join().unwrap();
    }
}
