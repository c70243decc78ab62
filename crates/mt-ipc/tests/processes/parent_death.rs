//! A parent that is killed takes its workers, and what they have started, with it.

use mt_test_kit::{Scene, Signal, signal, state_of, wait_until};

use crate::scene::{Worker, check, role};

/// Where the parent starts that is to die. For the test runner itself this is nothing.
#[test]
fn as_parent() {
    let played = mt_test_kit::role();
    let Some(role_name) = played.strip_prefix("parent-of:") else {
        return;
    };
    check(async {
        let unmet = role_name.strip_prefix("unmet-");
        let mut worker = Worker::start(role(unmet.unwrap_or(role_name))).await;
        if unmet.is_none() {
            worker.shake_hands().await.unwrap();
        }
        let pids = match role_name {
            "family" => worker.told().await,
            _ => worker.process.id().to_string(),
        };
        println!("PIDS {pids}");
        std::future::pending::<()>().await;
    });
}

/// A parent of a worker of this role, which has told the pids.
fn parent_of(role: &str) -> Scene {
    let role = format!("parent-of:{role}");
    let mut parent = Scene::start(&mut Scene::of("parent_death::as_parent", &role));
    parent.read_until("PIDS");
    parent
}

fn check_death(role: &str, before: impl FnOnce(&[u32])) {
    let parent = parent_of(role);
    before(&parent.pids);
    assert!(parent.pids.iter().all(|pid| state_of(*pid).is_some()));
    parent.signal(Signal::KILL);
    parent.end();
}

/// Tests of a worker that plays a role, and of what is done to it before its parent dies.
macro_rules! dies_with_its_parent {
    ($($(#[$doc:meta])* $test:ident: $role:literal, $before:expr;)*) => {
        $($(#[$doc])* #[test] fn $test() { check_death($role, $before) })*
    };
}

// Case D28: Workers go with a parent that is killed, with all below them, also while they are stopped or busy.
dies_with_its_parent! {
    workers_go_with_their_parent: "echo", |_| {};
    a_wedged_worker_goes_with_its_parent: "wedged", |_| {};
    descendants_of_a_worker_go_with_its_parent: "family", |_| {};
    a_stopped_worker_goes_with_its_parent_and_so_do_its_descendants: "family", |pids| {
        signal(pids[0], Signal::STOP);
        wait_until(|| state_of(pids[0]) == Some('T'));
    };
    /// The system itself sends SIGHUP to a stopped group whose parent has gone.
    a_stopped_group_goes_with_its_parent_and_so_do_those_outside_it: "family", |pids| {
        let group = rustix::process::Pid::from_raw(pids[0].cast_signed()).unwrap();
        rustix::process::kill_process_group(group, Signal::STOP).unwrap();
        wait_until(|| pids[..2].iter().all(|pid| state_of(*pid) == Some('T')));
    };
}

#[test]
fn a_worker_whose_parent_dies_while_it_starts_goes_too() {
    // It attaches, or tries to, while the parent dies; all that can be seen is that it is gone.
    for _ in 0..10 {
        let parent = parent_of("unmet-echo");
        parent.signal(Signal::KILL);
        parent.end();
    }
}
