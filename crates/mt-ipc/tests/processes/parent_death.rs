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

fn check_death(role: &str, before: impl FnOnce(&[u32])) {
    let role = format!("parent-of:{role}");
    let mut parent = Scene::start(&mut Scene::of("parent_death::as_parent", &role));
    parent.read_until("PIDS");
    before(&parent.pids);
    assert!(parent.pids.iter().all(|pid| state_of(*pid).is_some()));
    parent.signal(Signal::KILL);
    parent.end();
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
        wait_until(|| state_of(pids[0]) == Some('T'));
    });
}

/// The system itself sends SIGHUP to a stopped group whose parent has gone.
#[test]
fn a_stopped_group_goes_with_its_parent_and_so_do_those_outside_it() {
    check_death("family", |pids| {
        let group = rustix::process::Pid::from_raw(pids[0].cast_signed()).unwrap();
        rustix::process::kill_process_group(group, Signal::STOP).unwrap();
        wait_until(|| pids[..2].iter().all(|pid| state_of(*pid) == Some('T')));
    });
}

#[test]
fn a_worker_whose_parent_dies_while_it_starts_goes_too() {
    // It attaches, or tries to, while the parent dies; all that can be seen is that it is gone.
    for _ in 0..10 {
        let mut parent = Scene::start(&mut Scene::of(
            "parent_death::as_parent",
            "parent-of:unmet-echo",
        ));
        parent.read_until("PIDS");
        parent.signal(Signal::KILL);
        parent.end();
    }
}
