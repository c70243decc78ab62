//! Hives that end, or are left, at odd moments; and what must not hold them up.

use std::{
    task::{Context, Waker},
    time::Duration,
};

use futures::future::join_all;
use mt_beehive::{
    BeehiveRun, DelegateError, Hive, Population, TaskCx, hive_of,
    limits::{Deadlines, WorkerOptions},
    stats::BeeState,
    supervision::{LivenessPolicy, Verdict},
};
use tokio::sync::oneshot;

use crate::scene::{Live as _, Signal, check, is_gone, signal, stop, with_hive};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("it is dropped");
    }
}

#[derive(Default)]
struct Worker;

#[mt_beehive::worker]
impl Worker {
    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Says who does it, and never ends.
    #[task]
    async fn hold(&self, cx: &TaskCx) {
        cx.progress(&std::process::id());
        std::future::pending::<()>().await;
    }

    /// The same; does not like to be cancelled.
    #[task]
    async fn hold_a_bomb(&self, cx: &TaskCx) {
        let _bomb = Bomb;
        cx.progress(&std::process::id());
        std::future::pending::<()>().await;
    }
}

fn workers(bees: usize) -> BeehiveRun<Worker> {
    hive_of::<Worker>(()).processes(bees)
}

/// A task that is begun, and goes on in a task of tokio's.
async fn held(hive: &Hive<Worker>) -> (tokio::task::JoinHandle<()>, u32) {
    let (begun, pid) = oneshot::channel();
    let mut begun = Some(begun);
    let hold = hive.hold().on_progress(move |pid: u32| {
        let _ = begun.take().map(|begun| begun.send(pid));
    });
    let task = tokio::spawn(async move { drop(hold.await) });
    (task, pid.await.unwrap())
}

#[test]
fn a_run_that_is_dropped_while_its_hive_dies_takes_its_bees_along() {
    check(async || {
        let (told, bee) = oneshot::channel();
        let mut run = Box::pin(workers(1).run(async |hive| {
            let (_task, pid) = held(&hive).await;
            told.send(pid).unwrap();
            anyhow::Ok(())
        }));
        let pid = tokio::select! {
            _ = &mut run => unreachable!("a task of the hive's never ends"),
            pid = bee => pid.unwrap(),
        };
        // Not polled since: the hive is told now that this is its end.
        let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        assert!(!is_gone(pid));
        drop(run);
        assert!(is_gone(pid), "she lives on");
    });
}

#[test]
fn a_delegate_that_is_dropped_while_its_hive_dies_is_cancelled() {
    check(async || {
        let (kept, keeps) = oneshot::channel();
        let run = workers(1).live(async |hive| {
            let (task, _) = held(&hive).await;
            assert!(kept.send((hive.clone(), task)).is_ok());
        });
        let dropper = async {
            let (hive, task) = keeps.await.unwrap();
            // Nothing is taken any more.
            while !matches!(hive.pid().await, Err(DelegateError::Cancelled(_))) {}
            task.abort();
        };
        let (ended, ()) = tokio::join!(run, dropper);
        ended.unwrap();
    });
}

/// From the shortest to the longest there may be.
#[test]
fn any_period_will_do() {
    check(async || {
        for millis in [1, 365 * 24 * 3_600_000] {
            let population = Population::Elastic {
                min: 1,
                max: 1,
                period: Duration::from_millis(millis),
            };
            let hive = hive_of::<Worker>(()).processes(population);
            let pid = hive.live(async |hive| hive.pid().await).await;
            pid.unwrap().unwrap();
        }
    });
}

#[test]
fn a_task_that_panics_when_it_is_cancelled_is_cancelled() {
    let deadlines = Deadlines::new().cancel_grace(Duration::from_secs(50));
    let workers = workers(1).deadlines(deadlines);
    with_hive(workers, async |hive| {
        let (begun, pid) = oneshot::channel();
        let mut begun = Some(begun);
        let mut hold = hive.hold_a_bomb().on_progress(move |pid: u32| {
            let _ = begun.take().map(|begun| begun.send(pid));
        });
        let pid = tokio::select! {
            _ = &mut hold => unreachable!("it never ends"),
            pid = pid => pid.unwrap(),
        };
        drop(hold);
        let limit = Duration::from_millis(1);
        let again = hive.hold_a_bomb().deadline(limit).await;
        assert!(
            matches!(again, Err(DelegateError::Cancelled(_))),
            "{again:?}"
        );
        assert_eq!(hive.pid().await, Ok(pid));
        assert_eq!(hive.stats().await.bees_lost, 0);
    });
}

/// Tasks that a bee was asked about and has not said anything to go to others.
#[test]
fn a_stopped_bee_holds_up_nobody() {
    let policy = LivenessPolicy {
        interval: Duration::from_millis(20),
        missed_beats: 5,
        frozen: Verdict::Report,
        ..LivenessPolicy::default()
    };
    let options = WorkerOptions::new().liveness(policy);
    with_hive(workers(2).workers(options), async |hive| {
        let bees = loop {
            let bees = hive.bees().await;
            if bees.len() == 2 && bees.iter().all(|bee| bee.state == BeeState::Ready) {
                break bees;
            }
            tokio::task::yield_now().await;
        };
        let stopped = bees[0].pid.unwrap();
        stop(stopped);
        let done = (Ok(bees[1].pid.unwrap()), Some(bees[1].id));
        let all = join_all((0..100).map(|_| hive.pid().with_bee())).await;
        assert!(all.into_iter().all(|one| one == done));
        signal(stopped, Signal::CONT);
        // She is one of them again.
        while hive.pid().await != Ok(stopped) {}
    });
}
