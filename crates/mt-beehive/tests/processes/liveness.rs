//! Bees that give no sign of life, or get no further.

use std::{
    io::{Read, Write},
    process::Stdio,
    sync::mpsc,
    time::{Duration, Instant},
};

use mt_beehive::{
    BeehiveRun, CancelReason, Hive,
    error::NoWorkers,
    hive_of,
    limits::{Deadlines, WorkerOptions},
    supervision::{DeathCause, LivenessPolicy, RestartBudget, Verdict},
};

use crate::{
    doer::{Birth, Deed, Doer, DoerTasks},
    scene::{
        Folder, Live as _, Scene, Signal, block_on, check, hive, is_gone, lost, quick, reason,
        role, signal, state_of, stop, test_with, wait_until, watched, with_hive,
    },
};

fn doer(policy: LivenessPolicy) -> BeehiveRun<Doer> {
    hive(1).crash_limit(2).workers(watched(policy))
}

/// Case D8: Nothing is given away twice: whoever had a task is gone before it is begun again, even if it was only
/// stopped.
#[test_with(with_hive, doer(LivenessPolicy { stopped: Verdict::Kill, ..quick() }))]
async fn a_stopped_bee_that_is_to_be_killed_is_gone_before_her_task_is_begun_again(
    hive: Hive<Doer>,
) {
    let folder = Folder::temp();
    let (tell, told) = mpsc::channel();
    let there = folder.clone();
    // Whoever comes after the first finishes the task.
    let stop_the_first = move |pid| {
        if there.first("stopped") {
            signal(pid, Signal::STOP);
        } else {
            there.first("go");
        }
        tell.send(pid).unwrap();
    };
    let task = hive.wait_to_go(folder.clone()).on_progress(stop_the_first);
    assert_eq!(task.with_bee().await, (Ok(2), Some(1)));
    let first = told.recv().unwrap();
    assert!(is_gone(first), "what wakes up later is nobody");
    assert_ne!(told.recv().unwrap(), first);
    let noted = ["begun", "ended"].map(|what| folder.noted(what));
    assert_eq!(noted, [vec![1, 2], vec![2]]);
}

#[test_with(
    with_hive,
    doer(LivenessPolicy { stopped: Verdict::Kill, missed_beats: 100_000, ..quick() })
)]
async fn a_bee_that_wakes_up_before_the_verdict_goes_on(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let there = folder.clone();
    let wake = move |pid| {
        stop(pid);
        there.first("go");
        signal(pid, Signal::CONT);
    };
    let task = hive.wait_to_go(folder.clone()).on_progress(wake);
    assert_eq!(task.with_bee().await, (Ok(1), Some(0)));
    let noted = ["begun", "ended"].map(|what| folder.noted(what));
    assert_eq!(noted, [[1], [1]]);
}

/// Case H35: A bee whose thread is held is blocked, and killed where that is wanted.
#[test_with(with_hive, doer(LivenessPolicy { blocked: Verdict::Kill, ..quick() }))]
async fn a_bee_whose_thread_is_held_is_blocked(hive: Hive<Doer>) {
    let (death, attempts) = lost(hive.act(Deed::Block).await);
    assert_eq!((death.cause, attempts), (DeathCause::Blocked, 2));
    assert!(hive.pid().await.is_ok(), "she was replaced");
}

#[test_with(
    with_hive,
    doer(LivenessPolicy { blocked: Verdict::Kill, blocked_checks: 50, ..quick() })
)]
async fn a_bee_that_waits_is_not_blocked(hive: Hive<Doer>) {
    let waited = hive.take_time(Duration::from_secs(2)).with_bee().await;
    assert_eq!(waited, (Ok(()), Some(0)));
}

/// Case H34: A bee that takes longer than `Deadlines::init` to be made is given up.
#[test]
fn a_bee_that_is_never_made_is_given_up() {
    let limit = Duration::from_millis(50);
    let budget = RestartBudget {
        limit: 1,
        ..RestartBudget::default()
    };
    let never = hive_of::<Doer>(Birth::Never).processes(1);
    let never = never.deadlines(Deadlines::new().init(limit));
    let never = never.workers(WorkerOptions::new().restart_budget(budget));
    with_hive(never, async |hive| {
        let why = CancelReason::NoWorkers(NoWorkers::TimedOut { limit });
        assert_eq!(reason(hive.add(1, 2).await), why);
    });
}

/// Case H36: The last words of a bee are part of why its task is lost.
#[test_with(with_hive, doer(quick()))]
async fn what_a_dying_bee_writes_is_part_of_the_reason_and_clipped(hive: Hive<Doer>) {
    let words = format!("{} the heap is on fire \u{1b}[2J", "x".repeat(10_000));
    let aborted = hive.act(Deed::AbortSaying(words)).await;
    let shown = reason(aborted.clone()).to_string();
    assert_eq!(lost(aborted).0.exit.signal, Some(6));
    let (how, words) = shown.split_once("; its last words:\n").unwrap();
    assert!(how.ends_with("(attempts: 2)"), "{how}");
    assert!(words.ends_with("the heap is on fire \\u{1b}[2J"), "{words}");
    assert!(words.len() <= 2048, "{}", words.len());
}

/// A queen whose own clock stands still finds, when she goes on, that everybody has been silent for long.
#[test]
fn a_queen_that_was_stopped_condemns_nobody() {
    const NAME: &str = "liveness::a_queen_that_was_stopped_condemns_nobody";
    let policy = LivenessPolicy {
        interval: Duration::from_millis(50),
        missed_beats: 10,
        ..LivenessPolicy::default()
    };
    let silence = policy.interval * policy.missed_beats * 3;
    if role() == "queen" {
        return block_on(hive(2).workers(watched(policy)).live(async |hive| {
            println!("PIDS {}", hive.pid().await.unwrap());
            std::io::stdin().read_exact(&mut [0]).unwrap();
            // Some checks more.
            hive.take_time(silence).await.unwrap();
            assert_eq!(hive.stats().await.bees_lost, 0);
            println!("all are well.");
        }));
    }
    check(|| {
        let (read, mut go) = std::io::pipe().unwrap();
        let mut queen = Scene::of(NAME, "queen");
        let mut queen = Scene::start(queen.stdin(Stdio::from(read)));
        queen.read_until("PIDS");
        queen.signal(Signal::STOP);
        wait_until(|| state_of(queen.pid()) == Some('T'));
        let stopped = Instant::now();
        wait_until(|| stopped.elapsed() > silence);
        queen.signal(Signal::CONT);
        go.write_all(b"g").unwrap();
        queen.read_until("all are well");
        assert!(queen.end().success());
    });
}
