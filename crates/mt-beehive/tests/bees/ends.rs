//! Hives that end, or are left, at odd moments; and what must not hold them up.

use std::{
    task::{Context, Waker},
    time::Duration,
};

use crate::scene::{check_async, is_gone, signal, state_of, wait_until};
use futures::future::join_all;
use mt_beehive::{
    BeeState, BeehiveRun, Hive, LivenessPolicy, Population, TaskCx, TaskResult, Verdict, hive_of,
};
use tokio::sync::oneshot;

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
    hive_of::<Worker>(()).population(Population::Fixed(bees))
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
    check_async(|| async {
        let (told, bee) = oneshot::channel();
        let mut run = Box::pin(workers(1).run(async |hive| {
            let (_task, pid) = held(&hive).await;
            told.send(pid).unwrap();
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
    check_async(|| async {
        let (kept, keeps) = oneshot::channel();
        let run = workers(1).run(async |hive| {
            let (task, _) = held(&hive).await;
            assert!(kept.send((hive.clone(), task)).is_ok());
        });
        let dropper = async {
            let (hive, task) = keeps.await.unwrap();
            // Nothing is taken any more.
            while !matches!(hive.pid().await.0, TaskResult::Cancelled { .. }) {}
            task.abort();
        };
        let (ended, ()) = tokio::join!(run, dropper);
        ended.unwrap();
    });
}

#[test]
fn any_period_will_do() {
    check_async(|| async {
        for period in [Duration::ZERO, Duration::MAX] {
            let population = Population::Elastic {
                min: 1,
                max: 1,
                period,
            };
            let hive = hive_of::<Worker>(()).population(population);
            let pid = hive.run(async |hive| hive.pid().await.0).await.unwrap();
            assert!(matches!(pid, TaskResult::Succeeded(_)), "{pid:?}");
        }
    });
}

#[test]
fn a_task_that_panics_when_it_is_cancelled_is_cancelled() {
    check_async(|| async {
        let limit = Duration::from_millis(1);
        let run = workers(1).cancel_grace(Duration::from_secs(50));
        run.run(async |hive| {
            let (begun, pid) = oneshot::channel();
            let mut begun = Some(begun);
            let hold = hive.hold_a_bomb().on_progress(move |pid: u32| {
                let _ = begun.take().map(|begun| begun.send(pid));
            });
            let mut hold = Box::pin(hold);
            let pid = tokio::select! {
                _ = &mut hold => unreachable!("it never ends"),
                pid = pid => pid.unwrap(),
            };
            drop(hold);
            let again = hive.hold_a_bomb().deadline(limit).await.0;
            assert!(matches!(again, TaskResult::Cancelled { .. }), "{again:?}");
            assert_eq!(hive.pid().await.0, TaskResult::Succeeded(pid));
            assert_eq!(hive.stats().await.bees_lost, 0);
        })
        .await
        .unwrap();
    });
}

/// Tasks that she was asked about and has not said anything to go to others.
#[test]
fn a_stopped_bee_holds_up_nobody() {
    check_async(|| async {
        let policy = LivenessPolicy {
            interval: Duration::from_millis(20),
            missed_beats: 5,
            frozen: Verdict::Report,
            ..LivenessPolicy::default()
        };
        let run = workers(2).liveness(policy).run(async |hive| {
            let bees = loop {
                let bees = hive.bees().await;
                if bees.len() == 2 && bees.iter().all(|bee| bee.state == BeeState::Ready) {
                    break bees;
                }
                tokio::task::yield_now().await;
            };
            let stopped = bees[0].pid.unwrap();
            signal(stopped, "STOP");
            wait_until(|| state_of(stopped) == Some('T'));
            for (pid, bee) in join_all((0..100).map(|_| hive.pid())).await {
                assert_eq!(pid.ok(), Ok(bees[1].pid.unwrap()));
                assert_eq!(bee, Some(bees[1].id));
            }
            signal(stopped, "CONT");
            loop {
                let (pid, _) = hive.pid().await;
                if pid.ok() == Ok(stopped) {
                    break; // she is one of them again
                }
            }
        });
        run.await.unwrap();
    });
}
