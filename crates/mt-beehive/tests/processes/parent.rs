//! Rule 14: the process of the queen ends, in any way and at any moment, and nothing of the hive is left.

use std::{process::Stdio, thread};

use futures::future::join_all;
use mt_test_kit::watchdog;

use crate::{
    doer::{Deed, DoerTasks},
    scene::{
        Live as _, Scene, Signal, block_on, check, children, hive, role, signal, state_of,
        test_with, until,
    },
};

/// Where a queen starts. For the test runner this is nothing.
#[test]
fn as_queen() {
    let role = role();
    if role.is_empty() {
        return;
    }
    let _watchdog = watchdog("a queen");
    block_on(hive(2).live(async |hive| {
        for detached in [false, true] {
            println!("PIDS {}", hive.leave(detached).await.unwrap());
        }
        // Each bee is blocked in one of its tasks: it can't notice anything but the end.
        let work = [hive.act(Deed::Block), hive.act(Deed::Block)];
        let ends = async {
            until(|| children().len() == 2).await;
            let pids: Vec<String> = children().iter().map(u32::to_string).collect();
            println!("PIDS {}", pids.join(" "));
            end(&role);
        };
        tokio::join!(join_all(work), ends);
    }));
}

fn end(role: &str) {
    match role {
        "killed" => thread::park(),
        "has forked" => {
            println!("FORK {}", mt_test_kit::fork_that_stays());
            thread::park();
        }
        "aborts" => std::process::abort(),
        "exits" => std::process::exit(0),
        "panics" => panic!("out of the run"),
        other => panic!("no role is called {other}"),
    }
}

/// Case D25: When the queen is gone, however she ends, so are her bees and all that they have started.
#[test_with(check)]
fn rule_14_when_the_queen_is_gone_her_bees_and_what_they_started_are() {
    for role in ["killed", "aborts", "exits", "panics"] {
        let mut queen = Scene::of("parent::as_queen", role);
        let mut queen = Scene::start(queen.stderr(Stdio::null()));
        for _ in 0..3 {
            queen.read_until("PIDS");
        }
        assert_eq!(queen.pids.len(), 4, "two of tasks, two bees");
        if role == "killed" {
            queen.signal(Signal::KILL);
        }
        queen.end();
    }
}

/// Case 34: Bees go with a host that is killed, also when a process that it has forked off lives on.
#[test_with(check)]
fn bees_of_a_host_that_was_killed_after_a_fork() {
    let mut queen = Scene::start(&mut Scene::of("parent::as_queen", "has forked"));
    let told = queen.read_until("FORK");
    let fork: u32 = told.trim_start_matches("FORK ").parse().unwrap();
    assert_eq!(queen.pids.len(), 4, "two of tasks, two bees");
    queen.signal(Signal::KILL);
    queen.end();
    assert!(state_of(fork).is_some(), "it holds the connections");
    signal(fork, Signal::KILL);
}

/// As the system does it to all of a service.
///
/// Case P1: A SIGTERM to the host, or to host, bees and what they have started at once, leaves nothing behind.
#[test_with(check)]
fn a_terminated_host_leaves_nothing() {
    for all in [false, true] {
        let mut queen = Scene::start(&mut Scene::of("parent::as_queen", "killed"));
        (0..3).for_each(|_| drop(queen.read_until("PIDS")));
        let below = queen.pids.iter().filter(|_| all);
        below.for_each(|&pid| signal(pid, Signal::TERM));
        queen.signal(Signal::TERM);
        queen.end();
    }
}
