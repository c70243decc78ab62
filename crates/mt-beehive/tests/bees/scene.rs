//! What every test of bees starts from.

use mt_beehive::{BeehiveRun, Hive, bee::WorkerBee};

pub(crate) use crate::live::{Live, reason};
pub(crate) use mt_test_kit::{
    ALONE, Folder, Scene, Signal, children, is_gone, role, signal, state_of, wait_until,
};
use mt_test_kit::{alone, name_of};

/// Runs a test in a process of its own, under a watchdog. Afterwards no child is left there, nor a zombie.
pub(crate) fn check<T: AsyncFnOnce()>(test: T) {
    check_as(name_of::<T>(), test);
}

fn check_as(name: &str, test: impl AsyncFnOnce()) {
    alone(name, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(test());
        assert_eq!(children(), [0_u32; 0], "processes are left");
    });
}

/// The same for what is done with a hive.
pub(crate) fn with_hive<W: WorkerBee, S: AsyncFnOnce(Hive<W>)>(hive: BeehiveRun<W>, story: S) {
    check_as(name_of::<S>(), async || hive.live(story).await.unwrap());
}

/// The same for a story of the hive that `made` makes, with the auction and then with credit.
pub(crate) fn either_way<W: WorkerBee, S: AsyncFn(Hive<W>)>(
    made: impl Fn() -> BeehiveRun<W>,
    story: S,
) {
    check_as(name_of::<S>(), || crate::live::either_way(made, story));
}

/// Waits until a process is stopped, that gets this signal now.
pub(crate) fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    wait_until(|| is_gone(pid) || state_of(pid) == Some('T'));
}
