//! A process for every test, and a look at what is left in it.

use std::{fmt, time::Duration};

use mt_beehive::{BeehiveRun, CancelReason, DelegateError, Hive, hive_of, supervision::Death};

use crate::bees::{Birth, Doer, DoerTasks};
pub(crate) use crate::live::{Live, reason};
pub(crate) use mt_test_kit::{ALONE, Folder, children, is_gone, wait_until, watchdog};
use mt_test_kit::{alone, descriptors, name_of};

/// Runs a test in a process of its own, under a watchdog. Afterwards a hive still works there, and the test
/// has left no process, no zombie and no descriptor.
pub(crate) fn check<F: FnOnce()>(test: F) {
    check_as(name_of::<F>(), test);
}

fn check_as(name: &str, test: impl FnOnce()) {
    alone(name, || {
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors().len();
        test();
        works();
        assert_eq!(children(), [0_u32; 0], "processes are left");
        wait_until(|| descriptors().len() <= before);
    });
}

/// The same for a story of the hive that `made` makes, with the auction and then with credit.
pub(crate) fn either_way<S: AsyncFn(Hive<Doer>)>(made: impl Fn() -> BeehiveRun<Doer>, story: S) {
    check_as(name_of::<S>(), || reign(made, story));
}

/// Tells such a story inside a test.
pub(crate) fn reign(made: impl Fn() -> BeehiveRun<Doer>, story: impl AsyncFn(Hive<Doer>)) {
    block_on(crate::live::either_way(made, story));
}

/// A hive of so many bees that are like any other.
pub(crate) fn hive(bees: usize) -> BeehiveRun<Doer> {
    hive_of::<Doer>(Birth::Well).processes(bees)
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// What a test does with a hive of so many bees.
pub(crate) fn with_hive<T>(bees: usize, task: impl AsyncFnOnce(Hive<Doer>) -> T) -> T {
    block_on(hive(bees).live(task)).unwrap()
}

fn works() {
    let done = with_hive(1, async |hive| hive.add(1, 2).with_bee().await);
    assert_eq!(done, (Ok(3), Some(0)));
}

/// How the last bee died of a task that is given up, and how many did.
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

/// The same as [`wait_until`] without blocking the thread.
pub(crate) async fn until(mut is_true: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(1));
    while !is_true() {
        looks.tick().await;
    }
}
