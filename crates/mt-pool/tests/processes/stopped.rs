//! A parent that was stopped for a while, alone or with its workers.

use std::{
    env,
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::Duration,
};

use mt_pool::{AsynPmap, LivenessPolicy, PoolEvent, Task, asyn_pmap, task};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    folder::{Folder, folder},
    report::complete,
    scene::{children_of, itself, wait_until, watchdog},
};

const ROLE: &str = "MT_TEST_STOPPED";
const HERE: &str = "MT_TEST_HERE";
const DEADLINE: Duration = Duration::from_millis(400);

#[task]
fn brief(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(2)); // work: so that there is always something running
    n
}

#[task]
async fn brief_async(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(2)).await; // work: so that there is always something running
    n
}

#[task]
fn lasting(n: u64) -> u64 {
    thread::sleep(DEADLINE / 4); // work: there is more of it to do after the stop
    n
}

#[task]
fn slow_start(folder: Folder) {
    folder.note("begun", 1);
    thread::sleep(Duration::from_millis(100)); // work: long enough to be stopped meanwhile
}

/// Where a parent starts that will be stopped. For the test runner this is nothing.
#[test]
fn as_parent() {
    match env::var(ROLE).unwrap_or_default().as_str() {
        "plain" => is_stopped_in_the_middle(asyn_pmap::<brief>(told(200, 100)), 200),
        "async" => is_stopped_in_the_middle(asyn_pmap::<brief_async>(told(200, 100)), 200),
        "workers too" => is_stopped_in_the_middle(asyn_pmap::<lasting>(told(12, 11)), 12),
        "init" => {
            let folder = Folder(env::var_os(HERE).unwrap().into());
            let run = asyn_pmap::<brief>(0..20).init::<slow_start>(folder);
            is_stopped_in_the_middle(run.init_deadline(DEADLINE), 20);
        }
        _ => {}
    }
}

/// Items that say when there are some to be stopped at.
fn told(items: u64, at: u64) -> impl Iterator<Item = u64> + Send {
    (0..items).inspect(move |n| {
        if *n == at {
            println!("WORKS");
        }
    })
}

fn is_stopped_in_the_middle<T: Task<Output = u64>>(run: AsynPmap<T>, items: u64)
where
    T::Error: std::fmt::Debug,
{
    let policy = LivenessPolicy {
        interval: Duration::from_millis(20),
        missed_beats: 5,
        ..LivenessPolicy::default()
    };
    let run = run.hard_deadline(DEADLINE).liveness(policy).capacity(10);
    let report = complete(run.pool_processes(3), items);
    assert_eq!(report.failed(), [0; 0]);
    assert_eq!(report.deaths(), []);
    let failed = |event: &PoolEvent| matches!(event, PoolEvent::WorkerFailed { .. });
    assert!(!report.events.iter().any(failed));
    println!("DONE");
}

/// Its workers go on, finish what they have and wait; nothing of that is held against them.
#[test]
fn a_parent_that_was_stopped_kills_nobody() {
    for role in ["plain", "async", "init", "workers too"] {
        let _watchdog = watchdog(role.into());
        let mut command = itself("stopped::as_parent");
        let (guard, folder) = folder();
        command.env(ROLE, role).env(HERE, guard.path());
        command.stdout(Stdio::piped());
        let mut parent = command.spawn().unwrap();
        let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
        let mut read_until = |word: &str| lines.any(|line| line.unwrap().contains(word));
        if role == "init" {
            wait_until("an init has begun", || folder.exists("begun"));
        } else {
            assert!(read_until("WORKS"));
        }
        let send = |to: u32, signal| {
            let _ = kill_process(Pid::from_raw(to.cast_signed()).unwrap(), signal);
        };
        send(parent.id(), Signal::STOP);
        let below = if role == "workers too" {
            children_of(parent.id())
        } else {
            Vec::new()
        };
        below.iter().for_each(|&pid| send(pid, Signal::STOP));
        thread::sleep(2 * DEADLINE); // work: that is how long it is stopped
        below.iter().for_each(|&pid| send(pid, Signal::CONT));
        send(parent.id(), Signal::CONT);
        assert!(read_until("DONE"), "{role}");
        assert!(parent.wait().unwrap().success());
    }
}
