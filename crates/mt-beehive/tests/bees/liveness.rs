//! Bees that give no sign of life, or get no further.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::scene::{check, check_async, is_gone, itself, signal, state_of, wait_until};
use mt_beehive::{
    Hive, LivenessPolicy, Population, RestartBudget, TaskCx, TaskResult, Verdict, WorkerStderr,
    hive_of,
};
use mt_ipc::{FrameReceiver, FrameSender, attach};
use mt_proto::{FromBee, FromWorker, HiveWriter, Kind, Limits, ToBee, hive_messages};

/// The test whose bees are [`mute`].
pub(crate) const MUTE: &str = "liveness::a_mute_bee_is_frozen_and_what_she_had_says_why";

/// A bee that says that she is ready, takes a task, and is silent.
pub(crate) async fn mute() {
    let connection = attach().unwrap().connection;
    let (sender, mut receiver, writer) = connection.open(Limits::default(), Default::default());
    let writing = tokio::spawn(writer.run());
    let fingerprint = mt_pool::worker::fingerprint();
    mt_ipc::greet(&sender, &mut receiver, fingerprint)
        .await
        .unwrap();
    sender.try_send(FromWorker::Ready.into_frame()).unwrap();
    say(
        &sender,
        FromBee::Ready {
            max_concurrency: Some(1),
        },
    );
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

    /// Writes a line when it begins and one when it ends, which is when the file `go` is there.
    #[task]
    async fn recorded(&self, cx: &TaskCx, record: String, go: String) -> u32 {
        let me = std::process::id();
        append(&record, &format!("{} begins {me}", cx.attempt));
        cx.progress(&me);
        while fs::metadata(&go).is_err() {
            // work: until it is told to go on
            tokio::time::sleep(Duration::from_millis(5)).await; // work: as above
        }
        append(&record, &format!("{} ends {me}", cx.attempt));
        me
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

fn append(file: &str, line: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(file);
    // In one piece: others write too.
    file.unwrap()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
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

async fn reign<F: Future<Output = ()>>(
    policy: LivenessPolicy,
    task: impl FnOnce(Hive<Worker>) -> F,
) {
    let hive = hive_of::<Worker>(()).population(Population::Fixed(1));
    hive.crash_limit(2)
        .liveness(policy)
        .run(task)
        .await
        .unwrap();
}

fn reason<R: std::fmt::Debug>(result: TaskResult<R>) -> String {
    match result {
        TaskResult::Cancelled { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mute_bee_is_frozen_and_what_she_had_says_why() {
    check_async(|| async {
        let policy = LivenessPolicy {
            frozen: Verdict::Kill,
            ..quick()
        };
        let hive = hive_of::<Worker>(()).population(Population::Fixed(1));
        let hive = hive
            .crash_limit(2)
            .liveness(policy)
            .worker_stderr(WorkerStderr::Discard);
        let result = hive.run(async |hive| hive.pid().await).await.unwrap();
        let reason = reason(result.0);
        assert!(
            reason.starts_with(
                "worker_lost: its worker process gave no sign of life any more and was killed"
            ),
            "{reason}"
        );
        assert!(
            reason.contains("(attempts: 2); its last words:\n"),
            "{reason}"
        );
        assert!(reason.ends_with("she has it and says nothing"), "{reason}");
    });
}

/// Files of a test, gone at the end.
struct Files {
    record: String,
    go: String,
}

impl Files {
    fn new() -> Self {
        let path = |what: &str| {
            let name = format!("mt-liveness-{what}-{}", std::process::id());
            env::temp_dir().join(name).to_str().unwrap().to_owned()
        };
        let (record, go) = (path("record"), path("go"));
        Self { record, go }
    }

    /// What was recorded, without who did it.
    fn record(&self) -> Vec<String> {
        let record = fs::read_to_string(&self.record).unwrap();
        let lines = record
            .lines()
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        lines.collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.record);
        let _ = fs::remove_file(&self.go);
    }
}

/// Stops the bee that does a task, and says who she is. Whoever comes after her finishes it.
fn stop_the_first(files: &Files) -> (impl FnMut(u32) + Send + 'static, mpsc::Receiver<u32>) {
    let (stopped, who) = mpsc::sync_channel(1);
    let go = files.go.clone();
    let mut first = true;
    let stop = move |pid| {
        if std::mem::take(&mut first) {
            signal(pid, "STOP");
            stopped.send(pid).unwrap();
        } else {
            fs::write(&go, "").unwrap();
        }
    };
    (stop, who)
}

#[test]
fn a_stopped_bee_that_is_to_be_killed_is_gone_before_her_task_is_begun_again() {
    check_async(|| async {
        let policy = LivenessPolicy {
            stopped: Verdict::Kill,
            ..quick()
        };
        reign(policy, |hive| async move {
            let files = Files::new();
            let (stop, who) = stop_the_first(&files);
            let task = hive.recorded(files.record.clone(), files.go.clone());
            let (result, bee) = task.on_progress(stop).await;
            let first = who.recv().unwrap();
            assert!(is_gone(first), "what wakes up later is nobody");
            let second = result.ok().unwrap();
            assert_ne!(second, first);
            assert_eq!(bee, Some(1));
            assert_eq!(files.record(), ["1 begins", "2 begins", "2 ends"]);
        })
        .await;
    });
}

#[test]
fn a_bee_that_wakes_up_before_the_verdict_goes_on() {
    check_async(|| async {
        let policy = LivenessPolicy {
            stopped: Verdict::Kill,
            missed_beats: 100_000,
            ..quick()
        };
        reign(policy, |hive| async move {
            let files = Files::new();
            let (record, go) = (files.record.clone(), files.go.clone());
            let wake = move |pid| {
                signal(pid, "STOP");
                wait_until(|| state_of(pid) == Some('T'));
                fs::write(&go, "").unwrap();
                signal(pid, "CONT");
            };
            let task = hive.recorded(record, files.go.clone()).on_progress(wake);
            let (result, bee) = task.await;
            assert!(matches!(result, TaskResult::Succeeded(_)), "{result:?}");
            assert_eq!(bee, Some(0));
            assert_eq!(files.record(), ["1 begins", "1 ends"]);
        })
        .await;
    });
}

#[test]
fn a_bee_whose_thread_is_held_is_blocked() {
    check_async(|| async {
        let policy = LivenessPolicy {
            blocked: Verdict::Kill,
            ..quick()
        };
        reign(policy, |hive| async move {
            let (result, _) = hive.block().await;
            let reason = reason(result);
            let held = "worker_lost: its worker process got no further for too long and was killed";
            assert!(reason.starts_with(held), "{reason}");
            let (pid, _) = hive.pid().await;
            assert!(matches!(pid, TaskResult::Succeeded(_)), "she was replaced");
        })
        .await;
    });
}

#[test]
fn a_bee_that_waits_is_not_blocked() {
    check_async(|| async {
        let policy = LivenessPolicy {
            blocked: Verdict::Kill,
            blocked_checks: 50,
            ..quick()
        };
        reign(policy, |hive| async move {
            let (result, bee) = hive.wait(Duration::from_secs(2)).await;
            assert_eq!((result, bee), (TaskResult::Succeeded(()), Some(0)));
        })
        .await;
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

    check_async(|| async {
        let hive = hive_of::<Never>(()).population(Population::Fixed(1));
        let hive = hive
            .init_deadline(Duration::from_millis(50))
            .restart_budget(RestartBudget {
                limit: 1,
                ..RestartBudget::default()
            });
        let result = hive.run(async |hive| hive.go().await).await.unwrap();
        let reason = reason(result.0);
        let expected =
            "no worker bee could be had: setting up a worker process took longer than 50ms";
        assert!(reason.starts_with(expected), "{reason}");
    });
}

#[test]
fn what_a_dying_bee_writes_is_part_of_the_reason_and_clipped() {
    check_async(|| async {
        let words = format!("{} the heap is on fire \u{1b}[2J", "x".repeat(10_000));
        reign(quick(), |hive| async move {
            let (result, _) = hive.abort(words).await;
            let reason = reason(result);
            let (how, words) = reason.split_once("; its last words:\n").unwrap();
            assert!(
                how.contains("signal") && how.ends_with("(attempts: 2)"),
                "{how}"
            );
            assert!(words.ends_with("the heap is on fire \\u{1b}[2J"), "{words}");
            assert!(words.len() <= 2048, "{}", words.len());
        })
        .await;
    });
}

/// A queen whose own clock stands still finds, when she goes on, that everybody has been silent for long.
#[test]
fn a_queen_that_was_stopped_condemns_nobody() {
    const QUEEN: &str = "MT_TEST_QUEEN";
    const NAME: &str = "liveness::a_queen_that_was_stopped_condemns_nobody";
    let policy = LivenessPolicy {
        interval: Duration::from_millis(50),
        missed_beats: 10,
        ..LivenessPolicy::default()
    };
    let silence = policy.interval * policy.missed_beats * 3;
    if env::var_os(QUEEN).is_some() {
        let hive = hive_of::<Worker>(()).population(Population::Fixed(2));
        let run = hive.liveness(policy).run(async |hive| {
            let before = hive.pid().await.0.ok().unwrap();
            println!("bee {before}.");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            // Some checks more.
            hive.wait(silence).await.0.ok().unwrap();
            assert_eq!(hive.stats().await.bees_lost, 0);
            println!("all are well.");
        });
        return futures::executor::block_on(run).unwrap();
    }
    check(|| {
        let mut queen = itself(NAME);
        queen
            .env(QUEEN, "")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut queen = queen.spawn().unwrap();
        let mut said = BufReader::new(queen.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        assert!(said.any(|line| line.contains("bee ")));
        signal(queen.id(), "STOP");
        wait_until(|| state_of(queen.id()) == Some('T'));
        let stopped = Instant::now();
        wait_until(|| stopped.elapsed() > silence);
        signal(queen.id(), "CONT");
        queen.stdin.take().unwrap().write_all(b"go\n").unwrap();
        assert!(said.any(|line| line.contains("all are well")));
        assert!(queen.wait().unwrap().success());
    });
}
