//! What goes with a worker, or with its parent.

use std::process::Stdio;

use crate::{
    roles::other,
    scene::{Register, Worker, check, gone},
};

/// Case I30: On every system what a worker has started is killed with it.
#[test]
fn a_kill_takes_what_is_below() {
    check(async {
        let register = Register::open().await;
        let mut worker = Worker::ready("family", &register.port()).await;
        let all = register.next(2).await;
        assert_eq!(worker.told().await.unwrap(), "here");
        worker.process.kill();
        worker.process.wait().await;
        gone(all).await;
    });
}

/// Case I31: On every system what a worker leaves behind when it exits is killed.
#[test]
fn nothing_outlives_a_worker_that_exits() {
    check(async {
        let register = Register::open().await;
        let mut worker = Worker::ready("leaves", &register.port()).await;
        let below = register.next(1).await;
        assert_eq!(worker.told().await.unwrap(), "here");
        worker.sender.close();
        assert_eq!(worker.process.wait().await.code, Some(0));
        gone(below).await;
    });
}

/// Case I32: On every system a parent that is killed takes its worker along, with what that has started.
#[test]
fn a_dead_parent_takes_all_along() {
    check(async {
        let register = Register::open().await;
        let mut parent = other("parent", &register.port());
        let mut parent = parent.stdin(Stdio::null()).spawn().unwrap();
        let all = register.next(3).await;
        parent.kill().unwrap();
        parent.wait().unwrap();
        gone(all).await;
    });
}

/// Case I33: On every system a worker that is dropped is killed, with what it has started.
#[test]
fn a_dropped_worker_ends() {
    check(async {
        let register = Register::open().await;
        let worker = Worker::ready("family", &register.port()).await;
        let all = register.next(2).await;
        drop(worker);
        gone(all).await;
    });
}
