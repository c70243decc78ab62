//! Where hives live: beside each other, in a pool's worker, in a bee that has a pool; and what is left of them.

use std::{fs, sync::mpsc, time::Duration};

use futures::{
    StreamExt,
    future::{join, try_join},
};
use mt_beehive::{
    BeehiveRun, CancelReason, Hive, TaskCx, hive_of,
    limits::WorkerOptions,
    supervision::{LivenessPolicy, Verdict},
};
use mt_pool::asyn_pmap;

use crate::scene::{Folder, Live as _, check, reason, stop, wait_until, with_hive};

#[mt_pool::task]
async fn double(n: u64) -> u64 {
    2 * n
}

/// Doubles in a hive of its own.
#[mt_pool::task]
async fn double_by_hive(n: u64) -> anyhow::Result<u64> {
    let run = calculators(1).run(async |hive| anyhow::Ok(hive.double(n).await?));
    run.await
}

#[derive(Default)]
struct Calculator;

#[mt_beehive::worker]
impl Calculator {
    #[task]
    async fn double(&self, n: u64) -> u64 {
        2 * n
    }

    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Doubles in a pool of the bee's.
    #[task]
    async fn double_by_pool(&self, n: u64) -> anyhow::Result<Vec<u64>> {
        let run = asyn_pmap::<double>([n, n + 1]).processes(1).start()?;
        let doubled: Vec<_> = run.collect().await;
        Ok(doubled.into_iter().collect::<Result<_, _>>()?)
    }

    /// What the bee's descriptors are.
    #[task]
    async fn descriptors(&self) -> Vec<String> {
        let all = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let targets = all.filter_map(|one| fs::read_link(one.path()).ok());
        targets.map(|target| target.display().to_string()).collect()
    }

    /// Says again and again how far it is, until it may go.
    #[task]
    async fn chatter(&self, cx: &TaskCx, folder: Folder) {
        for n in 0_u64.. {
            cx.progress(&n);
            if folder.exists("go") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await; // work: as if it did something
        }
    }
}

fn calculators(bees: usize) -> BeehiveRun<Calculator> {
    hive_of::<Calculator>(()).processes(bees)
}

#[test]
fn a_hive_lives_in_a_task_of_a_pool() {
    check(async || {
        let run = asyn_pmap::<double_by_hive>([1, 2]).processes(1);
        let doubled: Vec<_> = run.start().unwrap().collect().await;
        let doubled: Vec<u64> = doubled.into_iter().map(Result::unwrap).collect();
        assert_eq!(doubled, [2, 4]);
    });
}

#[test]
fn a_pool_lives_in_a_task_of_a_bee() {
    with_hive(calculators(1), async |hive| {
        assert_eq!(hive.double_by_pool(1).await, Ok(vec![2, 4]));
    });
}

#[test]
fn two_hives_live_beside_each_other() {
    check(async || {
        let doubled = |n| calculators(2).live(async move |hive| hive.double(n).await);
        let both = try_join(doubled(1), doubled(2)).await;
        assert_eq!(both.unwrap(), (Ok(2), Ok(4)));
    });
}

#[test]
fn a_bee_has_no_descriptors_of_others() {
    with_hive(calculators(4), async |hive| {
        for _ in 0..8 {
            let mut sockets = hive.descriptors().await.unwrap();
            sockets.retain(|one| one.starts_with("socket:"));
            sockets.sort();
            sockets.dedup();
            assert!(sockets.len() <= 4, "{sockets:?}");
        }
    });
}

/// Asks it for everything.
async fn asks(hive: &Hive<Calculator>) {
    let (result, bee) = hive.double(1).with_bee().await;
    assert_eq!((reason(result), bee), (CancelReason::HiveClosed, None));
    let busy = hive.busy_status().await;
    assert_eq!(reason(busy), CancelReason::HiveClosed);
    assert_eq!(hive.spawn().await, None);
    assert_eq!(hive.bury(None).await, None);
    assert_eq!(hive.bury(Some(0)).await, None);
    assert_eq!(hive.bees().await, []);
    assert_eq!(hive.stats().await.delegated, 1);
}

#[test]
fn a_dead_hive_answers() {
    check(async || {
        let (kept, keeps) = mpsc::channel();
        let run = calculators(1).live(async |hive| {
            kept.send(hive.clone()).unwrap();
            hive.double(1).await
        });
        assert_eq!(run.await.unwrap(), Ok(2));
        asks(&keeps.recv().unwrap()).await;

        let mut dropped = Box::pin(calculators(1).run(async |hive| {
            kept.send(hive.clone()).unwrap();
            hive.double(1).await?;
            std::future::pending::<anyhow::Result<()>>().await
        }));
        let hive = loop {
            assert!(futures::poll!(&mut dropped).is_pending());
            if let Ok(hive) = keeps.try_recv() {
                break hive;
            }
        };
        while hive.stats().await.succeeded == 0 {
            assert!(futures::poll!(&mut dropped).is_pending());
        }
        drop(dropped);
        asks(&hive).await;
    });
}

/// Whoever is told takes longer for it than until the next is there.
#[test]
fn a_slow_watcher_leaves_time_for_others() {
    with_hive(calculators(1), async |hive| {
        let folder = Folder::temp();
        let (told, tells) = mpsc::channel();
        let chatter = hive.chatter(folder.clone()).on_progress(move |n: u64| {
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
    });
}

/// Panics when it is told of something, or never comes back.
struct Fussy {
    panics: bool,
}

impl tracing::Subscriber for Fussy {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn event(&self, _: &tracing::Event<'_>) {
        assert!(!self.panics, "a subscriber may panic");
        std::thread::park();
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Loses bees, of which the subscriber is told.
async fn lose_bees(subscriber: Fussy) {
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let policy = LivenessPolicy {
        interval: Duration::from_millis(20),
        frozen: Verdict::Report,
        stopped: Verdict::Kill,
        ..LivenessPolicy::default()
    };
    let calculators = calculators(1).workers(WorkerOptions::new().liveness(policy));
    let run = calculators.live(async |hive| {
        for _ in 0..3 {
            let first = hive.pid().await.unwrap();
            stop(first);
            assert_ne!(hive.pid().await.unwrap(), first);
        }
    });
    run.await.unwrap();
}

#[test]
fn a_subscriber_that_panics_harms_nobody() {
    check(async || lose_bees(Fussy { panics: true }).await);
}

#[test]
fn a_subscriber_that_blocks_harms_nobody() {
    check(async || lose_bees(Fussy { panics: false }).await);
}

/// Run to their end, or dropped in the middle.
#[test]
fn fifty_hives_leave_nothing() {
    check(async || {
        let mut before = None;
        for n in 0..51 {
            let mut run = Box::pin(calculators(1).live(async |hive| hive.double(n).await));
            if n % 2 == 0 {
                assert_eq!(run.await.unwrap(), Ok(2 * n));
            } else {
                assert!(futures::poll!(&mut run).is_pending());
                drop(run);
            }
            let count = |what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
            // What a hive has may be there for a moment after its end, the first time too.
            let [fds, threads] = *before.get_or_insert(["fd", "task"].map(count));
            wait_until(|| count("fd") <= fds && count("task") <= threads);
        }
    });
}
