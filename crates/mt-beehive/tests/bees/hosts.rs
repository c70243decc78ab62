//! Where hives live: beside each other, in a pool's worker, in a bee that has a pool; and what is left of them.

use std::{fs, sync::mpsc, time::Duration};

use futures::{StreamExt, future::join};
use mt_beehive::{
    BeehiveRun, Hive, LivenessPolicy, Population, TaskCx, TaskResult, Verdict, hive_of,
};
use mt_pool::asyn_pmap;

use crate::scene::{check, check_async, is_gone, signal, state_of, wait_until};

#[mt_pool::task]
async fn double(n: u64) -> u64 {
    2 * n
}

/// Doubles in a hive of its own.
#[mt_pool::task]
async fn double_by_hive(n: u64) -> Result<u64, String> {
    let doubled = calculators(1).run(async |hive| hive.double(n).await.0);
    let doubled = doubled.await.map_err(|error| error.to_string())?.ok();
    doubled.map_err(|error| error.to_string())
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

    /// Doubles in a pool of hers.
    #[task]
    async fn double_by_pool(&self, n: u64) -> Result<Vec<u64>, String> {
        let doubled = asyn_pmap::<double>([n, n + 1])
            .processes(1)
            .start()
            .unwrap();
        let doubled: Vec<_> = doubled.collect().await;
        doubled
            .into_iter()
            .map(|one| one.map_err(|error| error.to_string()))
            .collect()
    }

    /// What her descriptors are.
    #[task]
    async fn descriptors(&self) -> Vec<String> {
        let all = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let targets = all.filter_map(|one| fs::read_link(one.path()).ok());
        targets.map(|target| target.display().to_string()).collect()
    }

    /// Says again and again how far it is, until the file is there.
    #[task]
    async fn chatter(&self, cx: &TaskCx, file: String) {
        for n in 0_u64.. {
            cx.progress(&n);
            if fs::metadata(&file).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await; // work: as if it did something
        }
    }
}

fn calculators(bees: usize) -> BeehiveRun<Calculator> {
    hive_of::<Calculator>(()).population(Population::Fixed(bees))
}

#[test]
fn a_hive_lives_in_a_task_of_a_pool() {
    check_async(|| async {
        let doubled = asyn_pmap::<double_by_hive>([1, 2])
            .processes(1)
            .start()
            .unwrap();
        let doubled: Vec<_> = doubled.collect().await;
        let doubled: Vec<u64> = doubled.into_iter().map(Result::unwrap).collect();
        assert_eq!(doubled, [2, 4]);
    });
}

#[test]
fn a_pool_lives_in_a_task_of_a_bee() {
    check_async(|| async {
        let run = calculators(1).run(async |hive| hive.double_by_pool(1).await.0);
        assert_eq!(run.await.unwrap().ok(), Ok(vec![2, 4]));
    });
}

#[test]
fn two_hives_live_beside_each_other() {
    check(|| {
        let doubled = |n| calculators(2).run(async move |hive| hive.double(n).await);
        let both = futures::executor::block_on(join(doubled(1), doubled(2)));
        let [one, other] = [both.0, both.1].map(|one| one.unwrap().0.ok().unwrap());
        assert_eq!((one, other), (2, 4));
    });
}

#[test]
fn a_bee_has_no_descriptors_of_others() {
    check_async(|| async {
        let run = calculators(4).run(async |hive| {
            let mut kinds = Vec::new();
            for _ in 0..8 {
                let mut all = hive.descriptors().await.0.ok().unwrap();
                all.retain(|one| one.starts_with("socket:"));
                kinds.push(all);
            }
            kinds
        });
        for sockets in run.await.unwrap() {
            let mut different = sockets.clone();
            different.sort();
            different.dedup();
            assert!(different.len() <= 4, "{sockets:?}");
        }
    });
}

/// Asks it for everything.
async fn asks(hive: &Hive<Calculator>) {
    let (result, bee) = hive.double(1).await;
    assert!(matches!(result, TaskResult::Cancelled { .. }), "{result:?}");
    assert_eq!(bee, None);
    assert!(matches!(
        hive.busy_status().await.0,
        TaskResult::Cancelled { .. }
    ));
    assert_eq!(hive.spawn().await, None);
    assert_eq!(hive.bury(None).await, None);
    assert_eq!(hive.bury(Some(0)).await, None);
    assert_eq!(hive.bees().await, []);
    assert_eq!(hive.stats().await.delegated, 1);
}

#[test]
fn a_dead_hive_answers() {
    check_async(|| async {
        let (kept, keeps) = mpsc::channel();
        let run = calculators(1).run(async |hive| {
            kept.send(hive.clone()).unwrap();
            hive.double(1).await.0
        });
        assert_eq!(run.await.unwrap().ok(), Ok(2));
        asks(&keeps.recv().unwrap()).await;

        let mut dropped = Box::pin(calculators(1).run(async |hive| {
            kept.send(hive.clone()).unwrap();
            let _ = hive.double(1).await;
            std::future::pending::<()>().await;
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
    check_async(|| async {
        let file = std::env::temp_dir().join(format!("mt-chatter-{}", std::process::id()));
        let name = file.to_str().unwrap().to_owned();
        let run = calculators(1).run(async |hive| {
            let (told, tells) = mpsc::channel();
            let chatter = hive.chatter(name).on_progress(move |n: u64| {
                std::thread::sleep(Duration::from_millis(30)); // work: shows it
                let _ = told.send(n);
            });
            let other = async {
                let mut times = 0;
                while times < 5 {
                    times += tells.try_iter().count();
                    tokio::task::yield_now().await;
                }
                fs::write(&file, "").unwrap();
            };
            let ((chatter, _), ()) = join(chatter, other).await;
            chatter.ok().unwrap();
        });
        run.await.unwrap();
        fs::remove_file(&file).unwrap();
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
    let run = calculators(1).liveness(policy).run(async |hive| {
        for _ in 0..3 {
            let first = hive.pid().await.0.ok().unwrap();
            signal(first, "STOP");
            wait_until(|| is_gone(first) || state_of(first) == Some('T'));
            let second = hive.pid().await.0.ok().unwrap();
            assert_ne!(first, second);
        }
    });
    run.await.unwrap();
}

#[test]
fn a_subscriber_that_panics_harms_nobody() {
    check_async(|| lose_bees(Fussy { panics: true }));
}

#[test]
fn a_subscriber_that_blocks_harms_nobody() {
    check_async(|| lose_bees(Fussy { panics: false }));
}

/// Run to their end, or dropped in the middle.
#[test]
fn fifty_hives_leave_nothing() {
    check_async(|| async {
        let mut before = None;
        for n in 0..51 {
            if n % 2 == 0 {
                let run = calculators(1).run(async |hive| hive.double(n).await.0);
                assert_eq!(run.await.unwrap().ok(), Ok(2 * n));
            } else {
                let mut run = Box::pin(calculators(1).run(async |hive| hive.double(n).await.0));
                assert!(futures::poll!(&mut run).is_pending());
            }
            let count = |what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
            // What a hive has may be there for a moment after its end, the first time too.
            let [fds, threads] = *before.get_or_insert(["fd", "task"].map(count));
            wait_until(|| count("fd") <= fds && count("task") <= threads);
        }
    });
}
