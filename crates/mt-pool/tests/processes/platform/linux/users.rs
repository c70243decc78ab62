//! Hosts, and tasks, that become another user, and may then not signal what they could before.

use mt_test_kit::{NOBODY, Scene, become_user, is_root, role};

use crate::prelude::*;

/// Long enough for a host to give its rights up meanwhile.
const LIMIT: Duration = Duration::from_secs(1);

#[task]
fn tells_or_spins(folder: Folder, n: u64) -> u32 {
    if n == 0 {
        return std::process::id();
    }
    loop {
        folder.first("spins");
    }
}

/// Where a host starts that gives its rights up. For the test runner this is nothing.
#[test]
fn as_host() {
    match role().as_str() {
        "overruns" => {
            let run = asyn_pmap::<act>([Deed::Pid, Deed::Spin])
                .capacity(1)
                .processes(1);
            let run = run.deadlines(hard(Duration::from_millis(200)));
            let mut run = run.start().unwrap().into_iter();
            println!("PIDS {}", run.next().unwrap().unwrap());
            assert!(become_user(NOBODY));
            let error = run.next().unwrap().unwrap_err();
            assert_is!(*error.kind(), TaskErrorKind::TimedOut { .. });
            assert!(run.next().is_none());
        }
        "is dropped" => {
            let run = asyn_pmap::<act>([Deed::Pid, Deed::Spin])
                .capacity(1)
                .processes(1);
            let mut run = run.start().unwrap().into_iter();
            println!("PIDS {}", run.next().unwrap().unwrap());
            assert!(become_user(NOBODY));
            drop(run);
        }
        "leaves a stopped one" => {
            let folder = Folder::temp();
            let items = [0, 1].map(|n| (folder.clone(), n));
            let run = asyn_pmap::<tells_or_spins>(items).processes(1);
            let mut run = run.deadlines(hard(LIMIT)).start().unwrap().into_iter();
            let pid = run.next().unwrap().unwrap();
            wait_until(|| folder.exists("spins"));
            println!("STOP {pid}");
            std::io::stdin().read_line(&mut String::new()).unwrap();
            // Within a session everybody may let others go on, and who goes on ends with its connection.
            rustix::process::setsid().unwrap();
            assert!(become_user(NOBODY));
            let error = run.next().unwrap().unwrap_err();
            assert_is!(
                *error.kind(),
                TaskErrorKind::TimedOut { .. } | TaskErrorKind::Crashed { .. }
            );
            assert_eq!(run.stats().deaths.out_of_reach, 1);
            assert!(run.next().is_none());
        }
        _ => {}
    }
}

/// Nothing of it is left when it has ended.
fn ends_well(role: &str) {
    if is_root() {
        Scene::ends_well(&mut Scene::of("platform::linux::users::as_host", role));
    }
}

/// Case 14: a host that may not signal its workers any more ends those that overrun, by their connections.
#[test]
fn a_deadline_holds_without_the_right_to_signal() {
    ends_well("overruns");
}

/// Case 14: so does a run that is dropped.
#[test]
fn a_dropped_run_ends_its_workers_without_the_right_to_signal() {
    ends_well("is dropped");
}

/// Case 14: a worker that can't be ended at all is told of, its item has an outcome, and nobody waits.
#[test]
fn who_can_not_be_ended_is_told_of() {
    if !is_root() {
        return;
    }
    let mut host = Scene::of("platform::linux::users::as_host", "leaves a stopped one");
    let mut host = Scene::start(host.stdin(std::process::Stdio::piped()));
    let told = host.read_until("STOP");
    let worker = told.split_once("STOP ").unwrap().1.parse().unwrap();
    signal(worker, Signal::STOP);
    host.close_stdin();
    let status = host.end();
    assert!(status.success(), "{status}");
    signal(worker, Signal::KILL);
    wait_until_gone(&[worker]);
}

#[task]
fn becomes_nobody_and_leaves(_: u64) -> [u32; 2] {
    let left = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap()
        .id();
    assert!(become_user(NOBODY));
    [std::process::id(), left]
}

/// Case 14: a worker whose task has become another user is ended like any other, with what it had started before.
#[test_with(alone)]
fn a_task_that_becomes_another_user() {
    if is_root() {
        let run = asyn_pmap::<becomes_nobody_and_leaves>(0..)
            .processes(1)
            .capacity(1);
        let mut run = run.start().unwrap().into_iter();
        let pids = run.next().unwrap().unwrap();
        drop(run);
        wait_until_gone(&pids);
    }
}
