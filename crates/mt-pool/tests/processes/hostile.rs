//! Workers that speak the protocol and break it on purpose: nothing they say is believed.

use std::{env, future};

use bytes::BytesMut;
use mt_ipc::{FrameReceiver, FrameSender, HandshakeError, attach, greet, is_worker_process};
use mt_proto::{
    Attachments, Beat, Build, Fingerprint, Frame, FromExecutor, FromWorker, ItemIndex, Kind,
    Limits, PROTOCOL_VERSION, RecordBuffer, RecordTag, Records, Segment, SetupFailure, SetupStep,
    ToExecutor, ToWorker, WorkerBeat, decode_strict, push_record,
};

use crate::{platform, prelude::*};

const ROLE: &str = "MT_TEST_HOSTILE";
const BUILD: &str = "MT_TEST_BUILD";

/// Where a hostile worker starts. For the test runner this is nothing.
#[test]
fn as_worker() {
    let Some(role) = env::var_os(ROLE).filter(|_| is_worker_process()) else {
        return;
    };
    let _watchdog = watchdog("a hostile worker");
    let build = env::var(BUILD).ok().and_then(|build| build.parse().ok());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let play = play(role.to_str().unwrap(), Fingerprint(build.unwrap_or(7)));
    runtime.unwrap().block_on(play);
}

async fn play(role: &str, build: Fingerprint) {
    let attached = attach().unwrap();
    let opened = attached
        .connection
        .open(Limits::default(), Default::default());
    let (sender, mut receiver, writer) = opened;
    let writing = tokio::spawn(writer.run());
    if role == "drips-hello" {
        return drip(Kind::Hello).await;
    }
    if role == "no-hello" {
        sender.try_send(FromWorker::Ready.into_frame()).unwrap();
        return future::pending().await;
    }
    if greet(&sender, &mut receiver, build).await.is_err() {
        std::process::exit(1);
    }
    receiver.recv().await.unwrap().unwrap();
    if role == "byte-by-byte" {
        return work_byte_by_byte(&mut receiver).await;
    }
    speak(role, &sender, &mut receiver).await;
    // Goes on living, but for what it has said.
    let _ = writing.await;
    future::pending().await
}

/// Does what a worker does, but sends every byte by itself.
async fn work_byte_by_byte(receiver: &mut FrameReceiver) {
    say_byte_by_byte(FromWorker::Ready.into_frame());
    while let Some(frame) = receiver.recv().await.unwrap() {
        if frame.kind.is_of_role() {
            if let ToExecutor::Items(segment) = ToExecutor::from_frame(frame).unwrap() {
                let mut items = Records::new(segment.records.clone());
                let mut values = Vec::new();
                while let Some(item) = items.next_record().unwrap() {
                    let n: u64 = decode_strict(&item.value).unwrap();
                    push_record(&mut values, RecordTag::Value, &(2 * n), 100).unwrap();
                }
                let records = values.into();
                let results = FromExecutor::Results(Segment { records, ..segment });
                say_byte_by_byte(results.into_frame());
            }
            continue;
        }
        match ToWorker::from_frame(frame).unwrap() {
            ToWorker::Beat(Beat::Die) => {
                say_byte_by_byte(FromWorker::Bye.into_frame());
                std::process::exit(0);
            }
            _ => say_byte_by_byte(alive(0).into_frame()),
        }
    }
}

/// A sign of life that claims so much.
fn alive(done: u64) -> FromWorker {
    FromWorker::Beat(WorkerBeat {
        beat: Beat::Alive,
        started: done,
        finished: done,
        turns: done,
    })
}

fn say_byte_by_byte(frame: Frame) {
    let mut bytes = BytesMut::new();
    frame.write_to(&mut bytes);
    for byte in bytes {
        platform::write_to_sockets(&[byte]);
    }
}

/// Begins a long message, and sends a byte of it now and then.
async fn drip(kind: Kind) {
    let body = 60_000_u32.to_le_bytes();
    platform::write_to_sockets(&[body[0], body[1], body[2], body[3], kind as u8]);
    loop {
        platform::write_to_sockets(&[0]);
        tokio::time::sleep(Duration::from_millis(30)).await; // work: is slow on purpose
    }
}

async fn speak(role: &str, sender: &FrameSender, receiver: &mut FrameReceiver) {
    let say = |message: FromWorker| sender.try_send(message.into_frame()).unwrap();
    let say_results = |first, count| {
        let results = FromExecutor::Results(results(first, count));
        sender.try_send(results.into_frame()).unwrap();
    };
    let frame = |kind, body: &[u8]| sender.try_send(Frame::new(kind, body.to_vec())).unwrap();
    match role {
        "hello-twice" => say(FromWorker::Hello(Build {
            version: PROTOCOL_VERSION,
            fingerprint: Fingerprint(7),
        })),
        "results-before-ready" => say_results(0, 1),
        "a-parents-words" => frame(Kind::Welcome, &[0; 8]),
        "trailing-bytes" => frame(Kind::Ready, &[0]),
        "collection-of-2^60" => frame(Kind::Notice, &[0, 255, 255, 255, 255, 255, 255, 255, 15]),
        "kind-of-nothing" => platform::write_to_sockets(&[0, 0, 0, 0, 0x7f]),
        "drips-ready" => drip(Kind::Results).await,
        "fails-and-stays" => {
            let (step, message) = (SetupStep::Init, "it was not to be".to_owned());
            say(FromWorker::SetupFailed(SetupFailure { step, message }));
            beat_for_ever(say).await
        }
        "length-of-4-gib" => platform::write_to_sockets(&[255, 255, 255, 255, 0x25, 0]),
        _ => {
            say(FromWorker::Ready);
            receiver.recv().await.unwrap().unwrap();
            speak_later(role, say, say_results).await;
        }
    }
}

async fn speak_later(role: &str, say: impl Fn(FromWorker), say_results: impl Fn(u64, u32)) {
    match role {
        "ready-twice" => say(FromWorker::Ready),
        "results-of-nobody" => say_results(1 << 60, 1),
        "results-beyond" => say_results(0, 1000),
        "results-twice" => {
            say_results(0, 1);
            say_results(0, 1);
        }
        "rests-unasked" => say(FromWorker::Rested),
        "bye-and-beat" => {
            say(FromWorker::Bye);
            // The first may overtake it.
            beat_for_ever(&say).await;
        }
        "bye-and-stay" => return say(FromWorker::Bye),
        "results-after-bye" => {
            say(FromWorker::Bye);
            say_results(0, 1);
        }
        "drips" => drip(Kind::Results).await,
        "stay" => {}
        other => panic!("no role is called {other}"),
    }
    say(alive(u64::MAX));
}

async fn beat_for_ever(say: impl Fn(FromWorker)) {
    loop {
        say(alive(0));
        tokio::time::sleep(Duration::from_millis(10)).await; // work: between two beats
    }
}

fn results(first: u64, count: u32) -> Segment {
    let mut records = RecordBuffer::with_capacity(16);
    for _ in 0..count {
        records.push_raw(&[1]);
    }
    Segment {
        first: ItemIndex(first),
        count,
        records: records.take(),
        attachments: Attachments::NONE,
    }
}

/// A run whose workers play `role`.
fn run_with(role: &str, build: Option<Fingerprint>) -> Report<u64, Never> {
    run_as(role, build, |run| run)
}

/// The same of a run that has been changed.
fn run_as(
    role: &str,
    build: Option<Fingerprint>,
    change: impl FnOnce(AsynPmap<double>) -> AsynPmap<double>,
) -> Report<u64, Never> {
    let folder = Folder::temp();
    let build = build.map_or(String::new(), |build| build.0.to_string());
    let variables = [(ROLE, role), (BUILD, &*build)];
    let missed_beats = if role == "byte-by-byte" { 1000 } else { 5 };
    let workers = restarts(1).liveness(beats(50, missed_beats));
    let workers = workers.program(folder.worker_program(role, &variables, "hostile::as_worker"));
    let start_limit = if role == "drips-hello" { 800 } else { 30_000 };
    let workers = workers.start_limit(Duration::from_millis(start_limit));
    let deadlines = Deadlines::new().exit_grace(Duration::from_millis(300));
    let run = asyn_pmap::<double>(0..20).workers(workers).processes(1);
    complete(change(run.deadlines(deadlines)), 20)
}

/// Says it is another build, and learns from the refusal which one would be right.
fn learn_build() -> Fingerprint {
    let report = run_with("other-build", None);
    assert_eq!(report.failed().len(), 20);
    assert!(report.error(0).to_string().contains("another build"));
    let started = report.stats.workers_started;
    assert_eq!(started, 1, "another one would be no other");
    match report.no_workers(0) {
        WorkerFailure::Handshake(HandshakeError::OtherBuild { ours, theirs, .. }) => {
            assert_eq!(theirs.fingerprint, Fingerprint(7));
            ours.fingerprint
        }
        other => panic!("{other}"),
    }
}

/// Slow is not hostile.
#[test_with(alone)]
fn a_worker_that_sends_every_byte_by_itself() {
    let report = run_with("byte-by-byte", Some(learn_build()));
    assert_eq!(report.stats.workers_started, 1);
    assert_eq!(report.values(), (0..20).map(|n| 2 * n).collect::<Vec<_>>());
}

#[test_with(alone)]
fn another_build_is_refused() {
    assert_ne!(learn_build(), Fingerprint(7));
}

/// Case M143: A worker that sends nonsense is killed, and nothing that it says is believed.
#[test_with(alone)]
fn what_breaks_the_protocol_is_killed_and_not_believed() {
    let build = learn_build();
    for role in [
        "hello-twice",
        "results-before-ready",
        "a-parents-words",
        "trailing-bytes",
        "collection-of-2^60",
        "kind-of-nothing",
        "length-of-4-gib",
        "ready-twice",
        "rests-unasked",
        "bye-and-beat",
        "results-after-bye",
        "results-of-nobody",
        "results-beyond",
    ] {
        let report = run_with(role, Some(build));
        assert_eq!(report.failed().len(), 20, "{role}");
        let deaths = report.deaths();
        assert_eq!(deaths.len(), 2, "{role}: {deaths:?}");
        let broke = |death: &Death| matches!(death.cause, DeathCause::BrokeProtocol(_));
        assert!(deaths.iter().all(broke), "{role}: {deaths:?}");
    }
}

#[test_with(alone)]
fn what_was_told_before_the_protocol_was_broken_stands() {
    let report = run_with("results-twice", Some(learn_build()));
    assert!(!report.failed().contains(&0), "told once, and rightly");
    assert!(report.failed().len() < 20);
}

#[test_with(alone)]
fn a_first_word_that_is_no_hello() {
    let report = run_with("no-hello", None);
    assert_eq!(report.failed().len(), 20);
    let text = report.error(0).to_string();
    assert!(text.contains("out of turn"), "{text}");
}

#[test_with(alone)]
fn one_that_stays_and_is_silent_is_frozen() {
    let build = learn_build();
    let report = run_with("stay", Some(build));
    assert_eq!(report.failed().len(), 20);
    let deaths = report.deaths();
    assert_eq!(deaths.len(), 2);
    assert!(deaths.iter().all(|death| death.cause == DeathCause::Frozen));
}

/// A worker that has said that it failed, or that it goes, and stays, is ended after its exit grace, and what it was for has
/// its outcome.
#[test_with(alone)]
fn one_that_says_it_ends_and_stays() {
    let build = learn_build();
    for role in ["bye-and-stay", "fails-and-stays"] {
        let report = run_with(role, Some(build));
        assert_eq!(report.failed().len(), 20, "{role}");
        let deaths = report.deaths();
        assert_eq!(deaths.len(), 2, "{role}");
        let lingered = |death: &Death| death.cause == DeathCause::Lingered;
        assert!(deaths.iter().all(lingered), "{role}: {deaths:?}");
        if role == "fails-and-stays" {
            assert_is!(report.no_workers(0), WorkerFailure::Setup { .. });
        }
    }
}

/// Case G4: A worker of a pool that says it rests while it has items is ended for that, and they are not run twice.
#[test_with(alone)]
fn one_of_a_pool_that_rests_unasked() {
    let build = learn_build();
    let pool = Pool::builder().processes(1).start().unwrap();
    let report = run_as("rests-unasked", Some(build), |run| run.pool(&pool));
    assert_eq!(report.failed().len(), 20);
    let deaths = report.deaths();
    let broke = |death: &Death| matches!(death.cause, DeathCause::BrokeProtocol(_));
    assert!(deaths.len() == 2 && deaths.iter().all(broke), "{deaths:?}");
}

/// Whatever it is in the middle of, a byte now and then is no sign of life: the start limit, or the beats it misses, end it.
///
/// Case G11: A worker that sends a byte now and then and never a message is ended, whatever it is in the middle of.
#[test_with(alone)]
fn one_that_sends_a_byte_now_and_then() {
    let build = learn_build();
    for role in ["drips-hello", "drips-ready", "drips"] {
        let report = run_with(role, Some(build));
        assert_eq!(report.failed().len(), 20, "{role}");
        match role {
            "drips-hello" => assert_is!(report.no_workers(0), WorkerFailure::Silent { .. }),
            _ => {
                let deaths = report.deaths();
                let frozen = |death: &Death| death.cause == DeathCause::Frozen;
                assert!(
                    !deaths.is_empty() && deaths.iter().all(frozen),
                    "{role}: {deaths:?}"
                );
            }
        }
    }
}
