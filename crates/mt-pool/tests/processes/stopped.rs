//! A parent that was stopped for a while, alone or with its workers.

use std::env;

use mt_test_kit::{Scene, children_of, role};

use crate::prelude::*;

const HERE: &str = "MT_TEST_HERE";
const DEADLINE: Duration = Duration::from_millis(400);

#[task]
fn slow_start(folder: Folder) {
    folder.note("begun", 1);
    thread::sleep(Duration::from_millis(100)); // work: long enough to be stopped meanwhile
}

/// Where a parent starts that will be stopped. For the test runner this is nothing.
#[test]
fn as_parent() {
    let brief = Duration::from_millis(2);
    match role().as_str() {
        "plain" => is_stopped_in_the_middle::<act>(brief, 200, |run| run),
        "async" => is_stopped_in_the_middle::<act_async>(brief, 200, |run| run),
        // There is more of it to do after the stop.
        "workers too" => is_stopped_in_the_middle::<act>(DEADLINE / 4, 12, |run| run),
        "init" => is_stopped_in_the_middle::<act>(brief, 20, |run| {
            run.init::<slow_start>(Folder::at(env::var_os(HERE).unwrap()))
        }),
        _ => {}
    }
}

/// Items that take so long each, one of which says when there are some to be stopped at.
fn is_stopped_in_the_middle<T: Task<Input = Deed, Output = u64, Error: Debug>>(
    time: Duration,
    items: u64,
    option: impl Fn(AsynPmap<T>) -> AsynPmap<T>,
) {
    let deeds = (0..items).map(move |n| {
        if n == 100.min(items - 1) {
            println!("WORKS");
        }
        Deed::Sleep(time)
    });
    let run = option(asyn_pmap::<T>(deeds))
        .deadlines(hard(DEADLINE).init(DEADLINE))
        .workers(WorkerOptions::new().liveness(beats(20, 5)))
        .capacity(10);
    let report = complete(run.processes(3), items);
    assert_eq!(report.failed(), [0; 0]);
    assert_eq!(report.deaths(), []);
    let failed = |event: &PoolEvent| matches!(event, PoolEvent::WorkerFailed { .. });
    assert!(!report.events.iter().any(failed));
    println!("DONE");
}

/// Workers go on meanwhile, finish what they have and wait; nothing of that is held against them.
///
/// Case M52: Time in which the parent was stopped is held against nobody.
#[test]
fn a_parent_that_was_stopped_kills_nobody() {
    for role in ["plain", "async", "init", "workers too"] {
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
