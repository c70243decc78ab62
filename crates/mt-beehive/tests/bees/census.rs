//! What a hive tells of its bees and of itself.

use std::time::Duration;

use futures::future::{Either, join_all, select};
use mt_beehive::{
    BeehiveRun, DelegateError, Hive, TaskCx, hive_of,
    limits::{Deadlines, WorkerOptions},
    stats::{BeeState, BeeStatus, Health, HiveStats},
    supervision::{LivenessPolicy, Verdict},
};

use crate::scene::{Live as _, Signal, check, is_gone, signal, with_hive};

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
        .processes(bees)
        .max_concurrency(4)
        .deadlines(Deadlines::new().cancel_grace(Duration::from_secs(3600)))
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
    check(async || {
        let run = clerks(2).live(async |hive| {
            let bees = bees_that(&hive, |bees| bees.len() == 2 && ready(bees)).await;
            assert_eq!([bees[0].id, bees[1].id], [0, 1]);
            let idle =
                |bee: &BeeStatus| (bee.tasks, bee.busy, bee.health) == (0, 0.0, Health::Well);
            assert!(bees.iter().all(idle), "{bees:?}");
            let (pid, by) = hive.pid().with_bee().await;
            let by = bees.iter().find(|bee| Some(bee.id) == by).unwrap();
            assert_eq!(pid.ok(), by.pid);
            let held = join_all((0..6).map(|_| hive.hold()));
            let has_six = |bees: &[BeeStatus]| bees.iter().map(|bee| bee.tasks).sum::<usize>() == 6;
            let counted = bees_that(&hive, has_six);
            let Either::Right((bees, _)) = select(held, Box::pin(counted)).await else {
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
    check(async || {
        let run = clerks(1).live(async |hive| {
            let second = hive.spawn().await;
            assert_eq!(second, Some(1));
            let bees = bees_that(&hive, |bees| bees.len() == 2 && ready(bees)).await;
            let pid = bees[1].pid.unwrap();
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
        let hive = run.await.unwrap();
        assert_eq!(hive.spawn().await, None, "it is dead");
        assert_eq!(hive.bury(None).await, None);
    });
}

#[test]
fn a_hive_tells_what_it_has_done_also_afterwards() {
    check(async || {
        let run = clerks(1).live(async |hive| {
            hive.pid().await.unwrap();
            let failed = hive.fail().await;
            assert!(matches!(failed, Err(DelegateError::Raised(_))));
            hive.stumble().await.unwrap();
            let held = hive.hold().deadline(Duration::from_millis(20)).await;
            assert!(matches!(held, Err(DelegateError::Cancelled(_))));
            let stats = hive.stats().await;
            assert_eq!((stats.bees_started, stats.bees_lost), (2, 1));
            hive
        });
        let mut expected = HiveStats::default();
        (expected.delegated, expected.succeeded) = (4, 2);
        (expected.raised, expected.cancelled) = (1, 1);
        (expected.begun_again, expected.bees_started) = (1, 2);
        expected.bees_lost = 1;
        assert_eq!(run.await.unwrap().stats().await, expected);
    });
}

/// Checks often, and kills nobody.
fn patient() -> WorkerOptions {
    WorkerOptions::new().liveness(LivenessPolicy {
        interval: Duration::from_millis(20),
        blocked_checks: 5,
        frozen: Verdict::Report,
        ..LivenessPolicy::default()
    })
}

fn is(bees: &[BeeStatus], health: Health) -> bool {
    matches!(bees, [bee] if bee.health == health)
}

#[test]
fn a_stopped_bee_is_told_of_and_left_alone() {
    with_hive(clerks(1).workers(patient()), async |hive| {
        let pid = hive.pid().await.unwrap();
        signal(pid, Signal::STOP);
        bees_that(&hive, |bees| is(bees, Health::Stopped)).await;
        signal(pid, Signal::CONT);
        bees_that(&hive, |bees| is(bees, Health::Well)).await;
        assert_eq!(hive.pid().with_bee().await, (Ok(pid), Some(0)));
    });
}

#[test]
fn a_blocked_bee_is_told_of_and_left_alone() {
    let no_grace = Deadlines::new().cancel_grace(Duration::ZERO);
    let clerks = clerks(1).workers(patient()).deadlines(no_grace);
    with_hive(clerks, async |hive| {
        let is_blocked = |bees: &[BeeStatus]| matches!(bees[0].health, Health::Blocked { .. });
        let blocked = bees_that(&hive, |bees| bees.len() == 1 && is_blocked(bees));
        let either = select(hive.block(), Box::pin(blocked)).await;
        let Either::Right((bees, block)) = either else {
            panic!("what blocks does not end");
        };
        drop(block);
        assert_eq!(bees[0].state, BeeState::Ready);
    });
}
