//! A parent that was stopped for a while, alone or with its workers.

use std::{env, thread, time::Duration};

use mt_pool::{
    AsynPmap, Task, asyn_pmap,
    events::PoolEvent,
    limits::{Deadlines, WorkerOptions},
    supervision::LivenessPolicy,
    task,
};
use mt_test_kit::{Folder, Scene, Signal, children_of, role, signal, wait_until, watchdog};

use crate::report::complete;

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
    match role().as_str() {
        "plain" => is_stopped_in_the_middle(asyn_pmap::<brief>(told(200, 100)), 200),
        "async" => is_stopped_in_the_middle(asyn_pmap::<brief_async>(told(200, 100)), 200),
        "workers too" => is_stopped_in_the_middle(asyn_pmap::<lasting>(told(12, 11)), 12),
        "init" => {
            let folder = Folder::at(env::var_os(HERE).unwrap());
            let run = asyn_pmap::<brief>(0..20).init::<slow_start>(folder);
            is_stopped_in_the_middle(run, 20);
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
    let run = run
        .deadlines(Deadlines::new().init(DEADLINE).hard(DEADLINE))
        .workers(WorkerOptions::new().liveness(policy))
        .capacity(10);
    let report = complete(run.processes(3), items);
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
        let _watchdog = watchdog(role);
        let folder = Folder::temp();
        let mut parent = Scene::of("stopped::as_parent", role);
        let mut parent = Scene::start(parent.env(HERE, folder.path()));
        if role == "init" {
            wait_until(|| folder.exists("begun"));
        } else {
            parent.read_until("WORKS");
        }
        parent.signal(Signal::STOP);
        let below = match role {
            "workers too" => children_of(parent.pid()),
            _ => Vec::new(),
        };
        let send = |which| below.iter().for_each(|&pid| signal(pid, which));
        send(Signal::STOP);
        thread::sleep(2 * DEADLINE); // work: that is how long it is stopped
        send(Signal::CONT);
        parent.signal(Signal::CONT);
        parent.read_until("DONE");
        assert!(parent.end().success());
    }
}
