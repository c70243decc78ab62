//! Bees whose processes take their time to start, or can't.

use std::{env, thread, time::Duration};

use mt_beehive::{
    CancelReason, error::NoWorkers, limits::WorkerOptions, supervision::RestartBudget,
};
use mt_test_kit::worker_after;

use crate::{
    doer::{Deed, DoerTasks},
    scene::{Folder, LONG, Live as _, block_on, check, check_async, hive, lost, reason, test_with},
    tracing::Keeper,
};

const SLOW_START: &str = "MT_TEST_SLOW_START";

/// Sleeps for so many milliseconds, in a worker that is told to start slowly.
pub(crate) fn start_slowly() {
    let millis = env::var(SLOW_START).ok().and_then(|it| it.parse().ok());
    let time = millis.map_or(Duration::ZERO, Duration::from_millis);
    thread::sleep(time); // work: what `main` does first
}

/// Bees whose program is started by a shell that does this before.
fn started_after(what: &str) -> WorkerOptions {
    let (limit, period) = (0, LONG);
    let workers = WorkerOptions::new().program(worker_after(what));
    workers.restart_budget(RestartBudget { limit, period })
}

fn slowly(millis: u32) -> WorkerOptions {
    started_after(&format!("export {SLOW_START}={millis}"))
}

/// Case 17: A bee whose start takes its time is waited for, and is a warning after 2 s.
#[test_with(check_async)]
async fn a_bee_that_is_slow_to_start_is_waited_for() {
    let told = Keeper::install();
    let warning = "has not said hello yet";
    for (millis, is_told) in [(700, false), (2300, true)] {
        let hive = hive(1).workers(slowly(millis));
        let (done, stats) = hive
            .live(async |hive| (hive.add(1, 2).with_bee().await, hive.stats().await))
            .await;
        assert_eq!(done, (Ok(3), Some(0)), "by the first bee");
        assert_eq!((stats.bees_started, stats.bees_lost), (1, 0));
        assert_eq!(told.tells(warning), is_told, "{millis}");
    }
    assert!(told.line(warning).contains("waited=2"));
}

/// Case 17: A bee that says nothing within the start limit is given up, and the reason says what to do.
#[test_with(check)]
fn a_bee_that_is_too_slow_to_start_is_given_up() {
    let workers = slowly(3_600_000).start_limit(Duration::from_millis(900));
    block_on(hive(1).workers(workers).live(async |hive| {
        let why = match reason(hive.add(1, 2).await) {
            CancelReason::NoWorkers(why @ NoWorkers::NotStarted { .. }) => why.to_string(),
            other => panic!("{other:?}"),
        };
        let helps = why.contains("start_limit") && why.contains("init()");
        assert!(
            helps && why.contains("1.0 s"),
            "looks are 0.2 s apart: {why}"
        );
    }));
}

/// Case 39: A bee's process that could not start says why, and the reason says that and nothing else.
#[test_with(check)]
fn a_bee_whose_process_can_not_start_says_why() {
    for (before, told) in [
        ("ulimit -n 5", "can't work: "),
        ("exec </dev/null", "no connection to a parent"),
    ] {
        block_on(hive(1).workers(started_after(before)).live(async |hive| {
            let why = reason(hive.add(1, 2).await).to_string();
            assert!(why.contains(told) && !why.contains("init()"), "{why}");
        }));
    }
}

/// Case 22: A hive whose folder is gone when a bee is to start says so.
#[test_with(check)]
fn a_folder_that_is_gone_is_told() {
    let (home, start) = (env::current_dir().unwrap(), Folder::temp());
    env::set_current_dir(start.path()).unwrap();
    let (limit, period) = (0, LONG);
    let budget = RestartBudget { limit, period };
    let workers = WorkerOptions::new().restart_budget(budget);
    block_on(hive(1).crash_limit(1).workers(workers).live(async |hive| {
        assert_eq!(hive.add(1, 2).await, Ok(3));
        env::set_current_dir(&home).unwrap();
        let gone = start.path().display().to_string();
        drop(start);
        lost(hive.act(Deed::Abort).await);
        let why = reason(hive.add(1, 2).await).to_string();
        assert!(why.contains(&gone), "{why}");
    }));
}

/// The hive's process is stopped while its bee starts. The time of that is nobody's.
///
/// Case 17: A host that is stopped while its only bee starts does not give her up.
#[test_with(check)]
fn a_host_that_is_stopped_while_a_bee_starts() {
    let workers = started_after("kill -STOP $PPID; sleep 1.5; kill -CONT $PPID");
    let workers = workers.start_limit(Duration::from_secs(1));
    let run = hive(1).workers(workers);
    let done = block_on(run.live(async |hive| hive.add(1, 2).with_bee().await));
    assert_eq!(done, (Ok(3), Some(0)));
}
