//! What every test of bees starts from.

use std::process::Command;

pub(crate) use mt_test_kit::{ALONE, children, children_of, is_gone, itself, state_of, wait_until};
use mt_test_kit::{alone, name_of};

/// Runs a test in a process of its own, under a watchdog. Afterwards no child is left there, nor a zombie.
pub(crate) fn check<F: FnOnce()>(test: F) {
    leaves_nobody(name_of::<F>(), test);
}

/// The same for a queen's task.
pub(crate) fn check_async<T: FnOnce() -> F, F: Future<Output = ()>>(test: T) {
    leaves_nobody(name_of::<T>(), || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(test());
    });
}

fn leaves_nobody(name: &str, test: impl FnOnce()) {
    alone(name, || {
        test();
        assert_eq!(children(), [0_u32; 0], "processes are left");
    });
}

/// Sends a signal by its name.
pub(crate) fn signal(pid: u32, name: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args(["-s", name, &pid.to_string()]).status();
    assert!(status.unwrap().success(), "kill -s {name} {pid}");
}
