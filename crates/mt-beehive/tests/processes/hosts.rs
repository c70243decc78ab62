//! Where hives live: beside each other, in a pool's worker, in a bee that has a pool; and what is left of them.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::mpsc, time::Duration};

use futures::{
    StreamExt,
    future::{join, pending},
};
use mt_beehive::{BeehiveRun, CancelReason, Hive, TaskCx, hive_of};
use mt_pool::asyn_pmap;

use crate::{
    doer::{Doer, DoerTasks},
    platform::sockets,
    scene::{
        Folder, Live as _, check_async, hive, reason, test_with, until, wait_until, with_hive,
    },
};

#[mt_pool::task]
async fn double(n: u64) -> u64 {
    2 * n
}

/// Doubles in a hive of its own.
#[mt_pool::task]
async fn double_by_hive(n: u64) -> anyhow::Result<u64> {
    let run = hive(1).run(async |hive| anyhow::Ok(hive.add(n, n).await?));
    run.await
}

#[derive(Default)]
struct Host;

#[mt_beehive::worker]
impl Host {
    /// Doubles in a pool of the bee's.
    #[task]
    async fn double_by_pool(&self, n: u64) -> anyhow::Result<Vec<u64>> {
        let run = asyn_pmap::<double>([n, n + 1]).processes(1).start()?;
        let doubled: Vec<_> = run.collect().await;
        Ok(doubled.into_iter().collect::<Result<_, _>>()?)
    }

    /// Which sockets the bee has.
    #[task]
    async fn sockets(&self) -> BTreeSet<PathBuf> {
        sockets().map(|(_, socket)| socket).collect()
    }

    /// Says again and again how far it is, until it may go.
    #[task]
    async fn chatter(&self, cx: &TaskCx, folder: Folder) {
        let mut steps = 0_u64..;
        let chatters = until(|| {
            cx.progress(&steps.next());
            folder.exists("go")
        });
        chatters.await;
    }
}

fn hosts(bees: usize) -> BeehiveRun<Host> {
    hive_of::<Host>(()).processes(bees)
}

#[test_with(check_async)]
async fn a_hive_lives_in_a_task_of_a_pool() {
    let run = asyn_pmap::<double_by_hive>([1, 2]).processes(1);
    let doubled: Vec<_> = run.start().unwrap().collect().await;
    let doubled: Vec<u64> = doubled.into_iter().map(Result::unwrap).collect();
    assert_eq!(doubled, [2, 4]);
}

#[test_with(with_hive, hosts(1))]
async fn a_pool_lives_in_a_task_of_a_bee(hive: Hive<Host>) {
    assert_eq!(hive.double_by_pool(1).await, Ok(vec![2, 4]));
}

#[test_with(check_async)]
async fn two_hives_live_beside_each_other() {
    let doubled = |n| hive(2).live(async move |hive| hive.add(n, n).await);
    assert_eq!(join(doubled(1), doubled(2)).await, (Ok(2), Ok(4)));
}

#[test_with(with_hive, hosts(4))]
async fn a_bee_has_no_descriptors_of_others(hive: Hive<Host>) {
    for _ in 0..8 {
        let sockets = hive.sockets().await.unwrap();
        assert!(sockets.len() <= 4, "{sockets:?}");
    }
}

/// Asks a dead hive for everything.
async fn asks(hive: &Hive<Doer>) {
    let (result, bee) = hive.add(1, 2).with_bee().await;
    assert_eq!((reason(result), bee), (CancelReason::HiveClosed, None));
    let busy = hive.busy_status().await;
    assert_eq!(reason(busy), CancelReason::HiveClosed);
    assert_eq!(hive.spawn().await, None);
    assert_eq!(hive.bury(None).await, None);
    assert_eq!(hive.bury(Some(0)).await, None);
    assert_eq!(hive.bees().await, []);
    assert_eq!(hive.stats().await.delegated, 1);
}

/// Case H50: A dead hive answers whatever it is asked.
#[test_with(check_async)]
async fn a_dead_hive_answers() {
    let run = hive(1).live(async |hive| {
        assert_eq!(hive.add(1, 2).await, Ok(3));
        hive
    });
    asks(&run.await).await;

    let (kept, keeps) = mpsc::channel();
    let mut dropped = Box::pin(hive(1).run(async |hive| {
        kept.send(hive.clone()).unwrap();
        hive.add(1, 2).await?;
        pending::<anyhow::Result<()>>().await
    }));
    assert!(futures::poll!(&mut dropped).is_pending());
    let hive = keeps.recv().unwrap();
    while hive.stats().await.succeeded == 0 {
        assert!(futures::poll!(&mut dropped).is_pending());
    }
    drop(dropped);
    // Inside a task the drop itself waits for nothing.
    while !hive.bees().await.is_empty() {}
    asks(&hive).await;
}

/// Whoever is told takes longer for it than until the next is there.
#[test_with(with_hive, hosts(1))]
async fn a_slow_watcher_leaves_time_for_others(hive: Hive<Host>) {
    let folder = Folder::temp();
    let (told, tells) = mpsc::channel();
    let chatter = hive
        .chatter(folder.clone())
        .on_progress(move |n: Option<u64>| {
            std::thread::sleep(Duration::from_millis(30)); // work: shows it
            let _ = told.send(n);
        });
    let other = async {
        let mut times = 0;
        while times < 5 {
            times += tells.try_iter().count();
            tokio::task::yield_now().await;
        }
        folder.first("go");
    };
    let (chatter, ()) = join(chatter, other).await;
    chatter.unwrap();
}

/// Run to their end, or dropped in the middle.
///
/// Case R9: When a hive is over no process, thread or descriptor of it is left, whether it ran to its end or was
/// dropped.
#[test_with(check_async)]
async fn fifty_hives_leave_nothing() {
    let mut before = None;
    for n in 0..51 {
        let mut run = Box::pin(hive(1).live(async |hive| hive.add(n, n).await));
        if n % 2 == 0 {
            assert_eq!(run.await, Ok(2 * n));
        } else {
            assert!(futures::poll!(&mut run).is_pending());
            drop(run);
        }
        let count = |what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
        // What a hive has may be there for a moment after its end, the first time too.
        let [fds, threads] = *before.get_or_insert(["fd", "task"].map(count));
        wait_until(|| count("fd") <= fds && count("task") <= threads);
    }
}
