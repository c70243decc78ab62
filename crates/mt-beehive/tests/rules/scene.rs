//! A process for every test, and a look at what is left in it.

use std::time::Duration;

use mt_beehive::{BeehiveRun, Dispatch, Hive, Population, TaskResult, hive_of};

use crate::bees::{Birth, Doer, DoerTasks};
pub(crate) use mt_test_kit::{ALONE, children, is_gone, itself, wait_until, watchdog};
use mt_test_kit::{alone, descriptors, name_of};

/// Runs a test in a process of its own, under a watchdog. Afterwards a hive still works there, and the test
/// has left no process, no zombie and no descriptor.
pub(crate) fn check<F: FnOnce()>(test: F) {
    alone(name_of::<F>(), || {
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors().len();
        test();
        works();
        assert_eq!(children(), [0_u32; 0], "processes are left");
        wait_until(|| descriptors().len() <= before);
    });
}

/// A hive of so many bees that are like any other.
pub(crate) fn hive(bees: usize) -> BeehiveRun<Doer> {
    hive_of::<Doer>(Birth::Well).population(Population::Fixed(bees))
}

/// Runs a queen's task in the hive that `made` makes, with the auction and then with credit.
pub(crate) fn reign<T, F>(made: impl Fn() -> BeehiveRun<Doer>, task: T)
where
    T: Fn(Hive<Doer>) -> F,
    F: Future<Output = ()>,
{
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        block_on(made().dispatch(dispatch).run(&task)).unwrap();
        assert_eq!(children(), [0_u32; 0], "bees are left, {dispatch:?}");
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn works() {
    let run = hive(1).run(async |hive| hive.add(1, 2).await);
    let done = block_on(run).unwrap();
    assert_eq!(done, (TaskResult::Succeeded(3), Some(0)));
}

/// The reason of what was cancelled.
pub(crate) fn reason<R: std::fmt::Debug>(result: TaskResult<R>) -> String {
    match result {
        TaskResult::Cancelled { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// What was raised.
pub(crate) fn raised<R: std::fmt::Debug>(result: TaskResult<R>) -> String {
    match result {
        TaskResult::Raised(exception) => exception.exception,
        other => panic!("{other:?}"),
    }
}

/// The same without blocking the thread.
pub(crate) async fn until(mut is_true: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(1));
    while !is_true() {
        looks.tick().await;
    }
}
