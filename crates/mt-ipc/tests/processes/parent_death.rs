//! A parent that is killed takes its workers, and what they have started, with it.

use std::env;

use rustix::process::Signal;

use crate::scene::{Worker, check, role, signal, start_parent, state, wait_until, wait_until_gone};

const PARENT: &str = "parent_death::as_parent";

/// Where the parent starts that is to die. For the test runner itself this is nothing.
#[test]
fn as_parent() {
    let role_name = env::args().next_back().unwrap();
    let Some(role_name) = role_name.strip_prefix("parent-of:") else {
        return;
    };
    check("a parent", async {
        let unmet = role_name.strip_prefix("unmet-");
        let mut worker = Worker::start(role(unmet.unwrap_or(role_name))).await;
        let mut pids = vec![worker.process.id()];
        if unmet.is_none() {
            worker.shake_hands().await.unwrap();
        }
        if role_name == "family" {
            pids = worker.told_pids().await;
        }
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        println!("PIDS {}", pids.join(" "));
        std::future::pending::<()>().await;
    });
}

fn check_death(role: &str, before: impl FnOnce(&[u32])) {
    let (mut parent, pids) = start_parent(PARENT, &format!("parent-of:{role}"));
    before(&pids);
    assert!(pids.iter().all(|pid| state(*pid).is_some()));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until_gone(&pids);
}

#[test]
fn workers_go_with_their_parent() {
    check_death("echo", |_| {});
}

#[test]
fn a_wedged_worker_goes_with_its_parent() {
    check_death("wedged", |_| {});
}

#[test]
fn descendants_of_a_worker_go_with_its_parent() {
    check_death("family", |_| {});
}

#[test]
fn a_stopped_worker_goes_with_its_parent_and_so_do_its_descendants() {
    check_death("family", |pids| {
        signal(pids[0], Signal::STOP);
        wait_until("stopped", || state(pids[0]) == Some('T'));
    });
}

/// The system itself sends SIGHUP to a stopped group whose parent has gone.
#[test]
fn a_stopped_group_goes_with_its_parent_and_so_do_those_outside_it() {
    check_death("family", |pids| {
        let group = rustix::process::Pid::from_raw(pids[0].cast_signed()).unwrap();
        rustix::process::kill_process_group(group, Signal::STOP).unwrap();
        wait_until("stopped", || {
            pids[..2].iter().all(|pid| state(*pid) == Some('T'))
        });
    });
}

#[test]
fn a_worker_whose_parent_dies_while_it_starts_goes_too() {
    // It attaches, or tries to, while the parent dies; all that can be seen is that it is gone.
    for _ in 0..10 {
        let (mut parent, pids) = start_parent(PARENT, "parent-of:unmet-echo");
        parent.kill().unwrap();
        parent.wait().unwrap();
        wait_until_gone(&pids);
    }
}
