//! What a hive tells of its bees and of itself.

use std::time::Duration;

use mt_beehive::{
    BeeHealth, BeeState, BeeStatus, BeehiveRun, Hive, HiveStats, LivenessPolicy, Population,
    TaskCx, TaskResult, Verdict, hive_of,
};

use crate::scene::{check_async, is_gone, signal};

#[derive(Default)]
struct Clerk;

#[mt_beehive::worker]
impl Clerk {
    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }

    #[task]
    async fn fail(&self) -> Result<(), &'static str> {
        Err("on purpose")
    }

    /// Says that it is begun, and goes on for ever.
    #[task]
    async fn hold(&self, cx: &TaskCx) {
        cx.progress(&());
        std::future::pending().await
    }

    /// Kills her at the first attempt.
    #[task]
    async fn stumble(&self, cx: &TaskCx) {
        if cx.attempt == 1 {
            std::process::abort();
        }
    }

    #[task]
    fn block(&self) {
        std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
    }
}

fn clerks(bees: usize) -> BeehiveRun<Clerk> {
    hive_of::<Clerk>(())
        .population(Population::Fixed(bees))
        .max_concurrency(4)
        .cancel_grace(Duration::from_secs(3600))
}

/// Asks for the bees until they are as wanted; the watchdog ends it if they never are.
async fn bees_that(hive: &Hive<Clerk>, are: impl Fn(&[BeeStatus]) -> bool) -> Vec<BeeStatus> {
    loop {
        let bees = hive.bees().await;
        if are(&bees) {
            return bees;
        }
        tokio::task::yield_now().await;
    }
}

fn ready(bees: &[BeeStatus]) -> bool {
    bees.iter().all(|bee| bee.state == BeeState::Ready)
}

#[test]
fn bees_tell_who_they_are_and_what_they_have() {
    check_async(|| async {
        let run = clerks(2).run(async |hive| {
            let bees = bees_that(&hive, |bees| bees.len() == 2 && ready(bees)).await;
            assert_eq!(bees.iter().map(|bee| bee.id).collect::<Vec<_>>(), [0, 1]);
            let idle =
                |bee: &BeeStatus| (bee.tasks, bee.busy, bee.health) == (0, 0.0, BeeHealth::Well);
            assert!(bees.iter().all(idle), "{bees:?}");
            let (pid, by) = hive.pid().await;
            let by = bees.iter().find(|bee| Some(bee.id) == by).unwrap();
            assert_eq!(pid, TaskResult::Succeeded(by.pid.unwrap()));
            let held = (0..6).map(|_| hive.hold());
            let held = futures::future::join_all(held);
            let counted = bees_that(&hive, |bees| {
                bees.iter().map(|bee| bee.tasks).sum::<usize>() == 6
            });
            let either = futures::future::select(Box::pin(held), Box::pin(counted)).await;
            let futures::future::Either::Right((bees, _)) = either else {
                panic!("what is held does not end");
            };
            let busy = |bee: &BeeStatus| bee.busy == bee.tasks as f64 / 4.0;
            assert!(bees.iter().all(busy), "{bees:?}");
            hive.clone()
        });
        let hive = run.await.unwrap();
        assert_eq!(hive.bees().await, [], "there are none any more");
    });
}

#[test]
fn bees_that_are_asked_for_have_an_id_and_those_that_are_buried_are_gone() {
    check_async(|| async {
        let run = clerks(1).run(async |hive| {
            let second = hive.spawn().await;
            assert_eq!(second, Some(1));
            let bees = bees_that(&hive, |bees| bees.len() == 2 && ready(bees)).await;
            let pid = bees[1].pid.unwrap();
            assert!(!is_gone(pid));
            assert_eq!(hive.bury(second).await, second);
            assert!(is_gone(pid));
            assert_eq!(hive.bury(second).await, None, "she is gone already");
            assert_eq!(hive.bury(None).await, Some(0), "the last");
            let spawned = hive.spawn();
            drop(spawned);
            let (_, by) = hive.pid().await;
            assert_eq!(by, Some(2), "it is done all the same");
            hive
        });
        let hive = run.await.unwrap();
        assert_eq!(hive.spawn().await, None, "it is dead");
        assert_eq!(hive.bury(None).await, None);
    });
}

#[test]
fn a_hive_tells_what_it_has_done_also_afterwards() {
    check_async(|| async {
        let run = clerks(1).run(async |hive| {
            assert!(matches!(hive.pid().await.0, TaskResult::Succeeded(_)));
            assert!(matches!(hive.fail().await.0, TaskResult::Raised(_)));
            assert!(matches!(hive.stumble().await.0, TaskResult::Succeeded(())));
            let held = hive.hold().deadline(Duration::from_millis(20)).await.0;
            assert!(matches!(held, TaskResult::Cancelled { .. }));
            let stats = hive.stats().await;
            assert_eq!((stats.bees_started, stats.bees_lost), (2, 1));
            hive
        });
        let hive = run.await.unwrap();
        let stats = hive.stats().await;
        let HiveStats {
            delegated,
            succeeded,
            raised,
            cancelled,
            begun_again,
            bees_started,
            bees_lost,
            stale_messages,
            ..
        } = stats;
        assert_eq!((delegated, succeeded, raised, cancelled), (4, 2, 1, 1));
        assert_eq!(
            (begun_again, bees_started, bees_lost, stale_messages),
            (1, 2, 1, 0)
        );
    });
}

/// Checks often, and kills nobody.
fn patient() -> LivenessPolicy {
    LivenessPolicy {
        interval: Duration::from_millis(20),
        blocked_checks: 5,
        frozen: Verdict::Report,
        ..LivenessPolicy::default()
    }
}

fn is(bees: &[BeeStatus], health: BeeHealth) -> bool {
    matches!(bees, [bee] if bee.health == health)
}

#[test]
fn a_stopped_bee_is_told_of_and_left_alone() {
    check_async(|| async {
        let run = clerks(1).liveness(patient()).run(async |hive| {
            let (pid, _) = hive.pid().await;
            let pid = pid.ok().unwrap();
            signal(pid, "STOP");
            bees_that(&hive, |bees| is(bees, BeeHealth::Stopped)).await;
            signal(pid, "CONT");
            bees_that(&hive, |bees| is(bees, BeeHealth::Well)).await;
            assert_eq!(hive.pid().await, (TaskResult::Succeeded(pid), Some(0)));
        });
        run.await.unwrap();
    });
}

#[test]
fn a_blocked_bee_is_told_of_and_left_alone() {
    check_async(|| async {
        let run = clerks(1).liveness(patient()).cancel_grace(Duration::ZERO);
        let run = run.run(async |hive| {
            let blocked = bees_that(&hive, |bees| {
                bees.iter()
                    .any(|bee| matches!(bee.health, BeeHealth::Blocked { .. }))
            });
            let block = hive.block();
            let either = futures::future::select(Box::pin(block), Box::pin(blocked)).await;
            let futures::future::Either::Right((bees, block)) = either else {
                panic!("what blocks does not end");
            };
            drop(block);
            assert_eq!(bees[0].state, BeeState::Ready);
        });
        run.await.unwrap();
    });
}
