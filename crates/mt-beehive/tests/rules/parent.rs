//! Rule 14: the process of the queen ends, in any way and at any moment, and nothing of the hive is left.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
    thread,
};

use mt_beehive::Hive;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    bees::{Deed, Doer, DoerTasks},
    scene::{block_on, check, hive, is_gone, itself, wait_until, watchdog},
};

const ROLE: &str = "MT_TEST_QUEEN";

/// Where a queen starts. For the test runner this is nothing.
#[test]
fn as_queen() {
    let role = env::var(ROLE).unwrap_or_default();
    if role.is_empty() {
        return;
    }
    let _watchdog = watchdog("a queen");
    let run = hive(2).run(async |hive| {
        let mut pids = Vec::new();
        for detached in [false, true] {
            pids.push(hive.leave(detached).await.0.ok().unwrap());
        }
        // Each bee is blocked in one of her tasks: she can't notice anything but the end.
        let work = [blocked(&hive), blocked(&hive)];
        let work = futures::future::join_all(work);
        let ends = async {
            while crate::scene::children().len() < 2 {
                tokio::task::yield_now().await;
            }
            pids.extend(crate::scene::children());
            let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
            println!("PIDS {}", pids.join(" "));
            end(&role);
        };
        tokio::join!(work, ends);
    });
    let _ = block_on(run);
}

async fn blocked(hive: &Hive<Doer>) {
    let _ = hive.act(Deed::Block).await;
}

fn end(role: &str) {
    match role {
        "killed" => thread::park(),
        "aborts" => std::process::abort(),
        "exits" => std::process::exit(0),
        "panics" => panic!("out of the run"),
        other => panic!("no role is called {other}"),
    }
}

fn start(role: &str) -> (Child, Vec<u32>) {
    let mut queen = itself("parent::as_queen");
    let queen = queen
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut queen = queen.spawn().unwrap();
    let mut lines = BufReader::new(queen.stdout.take().unwrap()).lines();
    let pids = told(&mut lines);
    // What it still says must not fill the pipe.
    thread::spawn(move || lines.for_each(drop));
    (queen, pids)
}

fn told(lines: &mut Lines<BufReader<ChildStdout>>) -> Vec<u32> {
    let lines = lines.map(Result::unwrap);
    let line = lines.into_iter().find_map(|line| {
        let (_, pids) = line.split_once("PIDS ")?;
        Some(pids.to_owned())
    });
    let pids = line.expect("she tells them");
    pids.split(' ').map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn rule_14_when_the_queen_is_gone_her_bees_and_what_they_started_are() {
    check(|| {
        for role in ["killed", "aborts", "exits", "panics"] {
            let (mut queen, pids) = start(role);
            assert_eq!(pids.len(), 4, "two of tasks, two bees");
            if role == "killed" {
                let id = Pid::from_raw(queen.id().cast_signed()).unwrap();
                kill_process(id, Signal::KILL).unwrap();
            }
            queen.wait().unwrap();
            wait_until(|| pids.iter().all(|&pid| is_gone(pid)));
        }
    });
}
