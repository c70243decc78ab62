//! Bees that give no sign of life, or get no further.

use std::{
    io::{Read, Write},
    process::Stdio,
    sync::mpsc,
    time::{Duration, Instant},
};

use mt_beehive::{
    BeehiveRun, CancelReason, TaskCx,
    error::NoWorkers,
    hive_of,
    limits::{Deadlines, WorkerOptions},
    supervision::{Death, DeathCause, LivenessPolicy, RestartBudget, Verdict, WorkerStderr},
};
use mt_ipc::{FrameReceiver, FrameSender, attach};
use mt_proto::{FromBee, FromWorker, HiveWriter, Kind, Limits, ToBee, hive_messages};

use crate::scene::{
    Folder, Live as _, Scene, Signal, check, is_gone, reason, role, signal, state_of, stop,
    wait_until, with_hive,
};

/// The test whose bees are [`mute`].
pub(crate) const MUTE: &str = "liveness::a_mute_bee_is_frozen_and_what_she_had_says_why";

/// A bee that says that it is ready, takes a task, and is silent.
pub(crate) async fn mute() {
    let connection = attach().unwrap().connection;
    let (sender, mut receiver, writer) = connection.open(Limits::default(), Default::default());
    let writing = tokio::spawn(writer.run());
    let fingerprint = mt_pool::worker::fingerprint();
    mt_ipc::greet(&sender, &mut receiver, fingerprint)
        .await
        .unwrap();
    sender.try_send(FromWorker::Ready.into_frame()).unwrap();
    let max_concurrency = Some(1);
    say(&sender, FromBee::Ready { max_concurrency });
    while let ToBee::NewTask { task_id, round } = next(&mut receiver).await {
        say(&sender, FromBee::TaskAccepted { task_id, round });
    }
    eprintln!("she has it and says nothing");
    drop(writing);
    std::future::pending().await
}

fn say(sender: &FrameSender, message: FromBee) {
    let mut writer = HiveWriter::default();
    writer.push(&message, 1000).unwrap();
    sender.try_send(writer.take()).unwrap();
}

async fn next(receiver: &mut FrameReceiver) -> ToBee {
    loop {
        let frame = receiver.recv().await.unwrap().unwrap();
        if frame.kind == Kind::Role {
            return hive_messages(frame).next().unwrap().unwrap();
        }
    }
}

#[derive(Default)]
struct Worker;

#[mt_beehive::worker]
impl Worker {
    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Notes which attempt it is when it begins and when it ends, which is when it may go.
    #[task]
    async fn recorded(&self, cx: &TaskCx, folder: Folder) -> u32 {
        folder.note("begins", cx.attempt.into());
        cx.progress(&std::process::id());
        while !folder.exists("go") {
            tokio::time::sleep(Duration::from_millis(5)).await; // work: until it is told to go on
        }
        folder.note("ends", cx.attempt.into());
        std::process::id()
    }

    #[task]
    fn block(&self) {
        std::thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
    }

    #[task]
    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await; // work: gives its thread back
    }

    #[task]
    fn abort(&self, words: String) {
        eprintln!("{words}");
        std::process::abort()
    }
}

/// Checks often, and kills nobody: on a busy machine beats are held up.
fn quick() -> LivenessPolicy {
    LivenessPolicy {
        interval: Duration::from_millis(20),
        missed_beats: 5,
        blocked_checks: 5,
        frozen: Verdict::Report,
        ..LivenessPolicy::default()
    }
}

fn worker(policy: LivenessPolicy) -> BeehiveRun<Worker> {
    let hive = hive_of::<Worker>(()).processes(1);
    hive.crash_limit(2).workers(watched(policy))
}

fn watched(policy: LivenessPolicy) -> WorkerOptions {
    WorkerOptions::new().liveness(policy)
}

/// The last death of those that cost a task all its attempts, two.
fn last_death(reason: &CancelReason) -> &Death {
    match reason {
        CancelReason::WorkerLost { death, attempts: 2 } => death,
        other => panic!("{other}"),
    }
}

#[test]
fn a_mute_bee_is_frozen_and_what_she_had_says_why() {
    let policy = LivenessPolicy {
        frozen: Verdict::Kill,
        ..quick()
    };
    let quiet = watched(policy).stderr(WorkerStderr::Discard);
    let worker = worker(policy).workers(quiet);
    with_hive(worker, async |hive| {
        let reason = reason(hive.pid().await);
        let death = last_death(&reason);
        assert_eq!(death.cause, DeathCause::Frozen);
        let words = String::from_utf8_lossy(death.last_words.stderr());
        assert_eq!(words.trim_end(), "she has it and says nothing");
        let shown = reason.to_string();
        let words = "(attempts: 2); its last words:\nshe has it and says nothing";
        assert!(shown.ends_with(words), "{shown}");
    });
}

/// Stops the bee that does a task, and says who it is. Whoever comes after it finishes the task.
fn stop_the_first(folder: &Folder) -> (impl FnMut(u32) + Send + 'static, mpsc::Receiver<u32>) {
    let (stopped, who) = mpsc::sync_channel(1);
    let folder = folder.clone();
    let mut first = true;
    let stop = move |pid| {
        if std::mem::take(&mut first) {
            signal(pid, Signal::STOP);
            stopped.send(pid).unwrap();
        } else {
            folder.first("go");
        }
    };
    (stop, who)
}

#[test]
fn a_stopped_bee_that_is_to_be_killed_is_gone_before_her_task_is_begun_again() {
    let policy = LivenessPolicy {
        stopped: Verdict::Kill,
        ..quick()
    };
    with_hive(worker(policy), async |hive| {
        let folder = Folder::temp();
        let (stop, who) = stop_the_first(&folder);
        let task = hive.recorded(folder.clone()).on_progress(stop);
        let (second, bee) = task.with_bee().await;
        let first = who.recv().unwrap();
        assert!(is_gone(first), "what wakes up later is nobody");
        assert_ne!(second, Ok(first));
        assert_eq!(bee, Some(1));
        let noted = ["begins", "ends"].map(|what| folder.noted(what));
        assert_eq!(noted, [vec![1, 2], vec![2]]);
    });
}

#[test]
fn a_bee_that_wakes_up_before_the_verdict_goes_on() {
    let policy = LivenessPolicy {
        stopped: Verdict::Kill,
        missed_beats: 100_000,
        ..quick()
    };
    with_hive(worker(policy), async |hive| {
        let folder = Folder::temp();
        let there = folder.clone();
        let wake = move |pid| {
            stop(pid);
            there.first("go");
            signal(pid, Signal::CONT);
        };
        let task = hive.recorded(folder.clone()).on_progress(wake);
        let (result, bee) = task.with_bee().await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(bee, Some(0));
        let noted = ["begins", "ends"].map(|what| folder.noted(what));
        assert_eq!(noted, [[1], [1]]);
    });
}

#[test]
fn a_bee_whose_thread_is_held_is_blocked() {
    let policy = LivenessPolicy {
        blocked: Verdict::Kill,
        ..quick()
    };
    with_hive(worker(policy), async |hive| {
        let reason = reason(hive.block().await);
        assert_eq!(last_death(&reason).cause, DeathCause::Blocked);
        assert!(hive.pid().await.is_ok(), "she was replaced");
    });
}

#[test]
fn a_bee_that_waits_is_not_blocked() {
    let policy = LivenessPolicy {
        blocked: Verdict::Kill,
        blocked_checks: 50,
        ..quick()
    };
    with_hive(worker(policy), async |hive| {
        let waited = hive.wait(Duration::from_secs(2)).with_bee().await;
        assert_eq!(waited, (Ok(()), Some(0)));
    });
}

#[test]
fn a_bee_that_is_never_made_is_given_up() {
    struct Never;

    #[mt_beehive::worker]
    impl Never {
        async fn new() -> Self {
            std::future::pending().await
        }

        #[task]
        async fn go(&self) {}
    }

    check(async || {
        let limit = Duration::from_millis(50);
        let budget = RestartBudget {
            limit: 1,
            ..RestartBudget::default()
        };
        let hive = hive_of::<Never>(())
            .processes(1)
            .deadlines(Deadlines::new().init(limit));
        let run = hive.workers(WorkerOptions::new().restart_budget(budget));
        let went = run.live(async |hive| hive.go().await).await.unwrap();
        let why = CancelReason::NoWorkers(NoWorkers::TimedOut { limit });
        assert_eq!(reason(went), why);
    });
}

#[test]
fn what_a_dying_bee_writes_is_part_of_the_reason_and_clipped() {
    let words = format!("{} the heap is on fire \u{1b}[2J", "x".repeat(10_000));
    with_hive(worker(quick()), async |hive| {
        let reason = reason(hive.abort(words).await);
        assert_eq!(last_death(&reason).exit.signal, Some(6));
        let shown = reason.to_string();
        let (how, words) = shown.split_once("; its last words:\n").unwrap();
        assert!(how.ends_with("(attempts: 2)"), "{how}");
        assert!(words.ends_with("the heap is on fire \\u{1b}[2J"), "{words}");
        assert!(words.len() <= 2048, "{}", words.len());
    });
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
        let hive = hive_of::<Worker>(()).processes(2).workers(watched(policy));
        let run = hive.live(async |hive| {
            println!("PIDS {}", hive.pid().await.unwrap());
            std::io::stdin().read_exact(&mut [0]).unwrap();
            // Some checks more.
            hive.wait(silence).await.unwrap();
            assert_eq!(hive.stats().await.bees_lost, 0);
            println!("all are well.");
        });
        return futures::executor::block_on(run).unwrap();
    }
    check(async || {
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
