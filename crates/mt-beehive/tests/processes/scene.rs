//! A process for every test, a look at what is left in it, and the hives that tests tell of.

use std::{fmt, time::Duration};

use mt_beehive::{
    BeehiveRun, CancelReason, DelegateError, Dispatch, Hive,
    bee::WorkerBee,
    hive_of,
    limits::{Deadlines, WorkerOptions},
    stats::{BeeState, BeeStatus},
    supervision::{Death, LivenessPolicy, Verdict},
};
pub(crate) use mt_test_kit::{
    Folder, Scene, Signal, children, is_gone, role, signal, state_of, test_with, wait_until,
};
use mt_test_kit::{alone, descriptors, name_of};

use crate::doer::{Birth, Doer, DoerTasks};

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Runs a test in a process of its own, under a watchdog. Afterwards a hive still works there, and the test
/// has left no process, no zombie and no descriptor.
pub(crate) fn check<F: FnOnce()>(test: F) {
    check_as(name_of::<F>(), test);
}

/// The same for a test that awaits.
pub(crate) fn check_async<F: AsyncFnOnce()>(test: F) {
    check_as(name_of::<F>(), || block_on(test()));
}

/// The same for a story of a hive.
pub(crate) fn with_hive<W: WorkerBee, S: AsyncFnOnce(Hive<W>)>(hive: BeehiveRun<W>, story: S) {
    check_as(name_of::<S>(), || block_on(hive.live(story)));
}

/// The same for a story that is told of a hive with the auction and then of one with credit.
pub(crate) fn either_way<W: WorkerBee, S: AsyncFn(Hive<W>)>(
    made: impl Fn() -> BeehiveRun<W>,
    story: S,
) {
    check_as(name_of::<S>(), || both_ways(made, story));
}

/// Tells such a story inside a test.
pub(crate) fn both_ways<W: WorkerBee>(
    made: impl Fn() -> BeehiveRun<W>,
    story: impl AsyncFn(Hive<W>),
) {
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        block_on(made().dispatch(dispatch).live(&story));
        assert_eq!(children(), [0_u32; 0], "bees are left, {dispatch:?}");
    }
}

fn check_as(name: &str, test: impl FnOnce()) {
    let works = || {
        let done = block_on(hive(1).live(async |hive| hive.add(1, 2).with_bee().await));
        assert_eq!(done, (Ok(3), Some(0)));
    };
    alone(name, || {
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors().len();
        test();
        works();
        // A drop inside a task has not waited.
        wait_until(|| children().is_empty());
        wait_until(|| descriptors().len() <= before);
    });
}

/// A hive of so many bees that are like any other.
pub(crate) fn hive(bees: usize) -> BeehiveRun<Doer> {
    hive_of::<Doer>(Birth::Well).processes(bees)
}

/// Deadlines that leave bees all the time they want.
pub(crate) fn patient() -> Deadlines {
    Deadlines::new().exit_grace(LONG).cancel_grace(LONG)
}

/// Checks often, and kills nobody: on a busy machine beats are held up.
pub(crate) fn quick() -> LivenessPolicy {
    LivenessPolicy {
        interval: Duration::from_millis(20),
        missed_beats: 5,
        blocked_checks: 5,
        frozen: Verdict::Report,
        ..LivenessPolicy::default()
    }
}

/// Bees that are watched like this.
pub(crate) fn watched(policy: LivenessPolicy) -> WorkerOptions {
    WorkerOptions::new().liveness(policy)
}

/// What a test does with a hive.
pub(crate) trait Live<W: WorkerBee> {
    /// Starts the hive, does this, and lets the hive die. Unlike [`BeehiveRun::run`] for what has no error.
    async fn live<T>(self, task: impl AsyncFnOnce(Hive<W>) -> T) -> T;
}

impl<W: WorkerBee> Live<W> for BeehiveRun<W> {
    async fn live<T>(self, task: impl AsyncFnOnce(Hive<W>) -> T) -> T {
        let hive = self.start().unwrap();
        let output = task(hive.clone()).await;
        hive.shutdown().await;
        output
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

/// The same as [`wait_until`] without blocking the thread.
pub(crate) async fn until(mut is_true: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(1));
    while !is_true() {
        looks.tick().await;
    }
}

/// Waits until so many tasks have noted that they were begun, and no more.
pub(crate) async fn begun(folder: &Folder, times: usize) {
    until(|| folder.noted("begun").len() == times).await;
}

/// Awaits this while something goes on that never ends, which is dropped then.
pub(crate) async fn beside<T>(endless: impl Future, output: impl Future<Output = T>) -> T {
    tokio::select! {
        _ = endless => panic!("it ends"),
        output = output => output,
    }
}

/// Asks for the bees until they are as wanted.
pub(crate) async fn bees_that<W: WorkerBee>(
    hive: &Hive<W>,
    are: impl Fn(&[BeeStatus]) -> bool,
) -> Vec<BeeStatus> {
    loop {
        let bees = hive.bees().await;
        if are(&bees) {
            return bees;
        }
        tokio::task::yield_now().await;
    }
}

/// The bees, when there are so many and all are ready.
pub(crate) async fn ready_bees<W: WorkerBee>(hive: &Hive<W>, count: usize) -> Vec<BeeStatus> {
    let is_ready = |bee: &BeeStatus| bee.state == BeeState::Ready;
    bees_that(hive, |bees| {
        bees.len() == count && bees.iter().all(is_ready)
    })
    .await
}

/// Waits until a process is stopped, that gets this signal now.
pub(crate) fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    wait_until(|| is_gone(pid) || state_of(pid) == Some('T'));
}

/// Why it was cancelled.
#[track_caller]
pub(crate) fn reason<R: fmt::Debug, E: fmt::Debug>(
    result: Result<R, DelegateError<E>>,
) -> CancelReason {
    match result {
        Err(DelegateError::Cancelled(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// How the last bee died of a task that is given up, and how many did.
#[track_caller]
pub(crate) fn lost<R: fmt::Debug, E: fmt::Debug>(
    result: Result<R, DelegateError<E>>,
) -> (Death, u32) {
    match reason(result) {
        CancelReason::WorkerLost { death, attempts } => (death, attempts),
        other => panic!("{other:?}"),
    }
}

/// A deadline has cancelled it.
#[track_caller]
pub(crate) fn assert_late<R: fmt::Debug, E: fmt::Debug>(result: Result<R, DelegateError<E>>) {
    let reason = reason(result);
    assert!(matches!(reason, CancelReason::Deadline { .. }), "{reason}");
}
