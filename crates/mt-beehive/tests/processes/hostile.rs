//! Bees that speak the protocol and break it on purpose: nothing they say is believed, and nothing is lost.

use std::{env, future::pending, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::join_all;
use mt_beehive::{
    BeehiveRun, CancelReason, Hive,
    error::NoWorkers,
    hive_of,
    limits::{Deadlines, WorkerOptions},
    supervision::{DeathCause, LivenessPolicy, RestartBudget, Verdict, WorkerStderr},
};
use mt_ipc::{FrameReceiver, FrameSender, Progress, attach};
use mt_proto::{
    Beat, Frame, FromBee, FromWorker, HiveWriter, Kind, Limits, MAX_HIVE_MESSAGES, Round,
    SetupFailure, SetupStep, TaskId, TaskStatus, ToBee, ToWorker, WorkerBeat, decode_checked,
    encode_checked, hive_messages,
};

use mt_test_kit::{ALONE, watchdog};

use crate::{
    doer::{Birth, Doer, DoerTasks},
    platform,
    scene::{
        Live as _, block_on, both_ways, check, either_way, lost, quick, reason, test_with, watched,
    },
};

/// In a bee's process, in a test of this file: plays the part the bee was born for, and an honest one if it was
/// born for none. Never returns then.
pub(crate) fn play_a_part() {
    if env::var(ALONE).is_ok_and(|test| test.starts_with("hostile::")) {
        let _watchdog = watchdog("a hostile bee");
        block_on(play());
    }
}

async fn play() {
    let attached = attach().unwrap();
    let (connection, progress) = (attached.connection, attached.progress);
    let (sender, mut receiver, writer) = connection.open(Limits::default(), Default::default());
    let writing = tokio::spawn(writer.run());
    let fingerprint = mt_pool::worker::fingerprint();
    let greeted = mt_ipc::greet(&sender, &mut receiver, fingerprint).await;
    greeted.unwrap();
    let setup = receiver.recv().await.unwrap().unwrap();
    let Ok(ToWorker::Assign(setup)) = ToWorker::from_frame(setup) else {
        panic!("no assignment");
    };
    // The fields it begins with: her name, her id, what she is made of.
    let mut fields = hive_messages(Frame::new(Kind::Role, setup.body));
    let (_, _, birth): (String, u32, Bytes) = fields.next().unwrap().unwrap();
    let part = match decode_checked(&birth).unwrap() {
        Birth::Plays(part) => part,
        _ => String::new(),
    };
    match part.as_str() {
        "floods" => flood(&sender).await,
        "fails, and stays" => {
            let (step, message) = (SetupStep::Init, "it was not to be".to_owned());
            let failed = FromWorker::SetupFailed(SetupFailure { step, message });
            sender.try_send(failed.into_frame()).unwrap();
            pending().await
        }
        _ => {}
    }
    sender.try_send(FromWorker::Ready.into_frame()).unwrap();
    break_protocol(&part, "born", &sender);
    serve(&part, &sender, &mut receiver, &progress).await;
    sender.close();
    let _ = writing.await;
    std::process::exit(0);
}

/// Beats as often as there is room for, for ever.
async fn flood(sender: &FrameSender) {
    let beat = WorkerBeat {
        beat: Beat::Alive,
        started: 0,
        finished: 0,
        turns: 0,
    };
    let mut beats = BytesMut::new();
    while beats.len() < 200_000 {
        FromWorker::Beat(beat).into_frame().write_to(&mut beats);
    }
    let beats = beats.freeze();
    loop {
        sender.bulk_below(4).await;
        sender.try_send_encoded(beats.clone()).unwrap();
    }
}

/// Does what a bee does, until she is told to die; and what her part demands. Every task returns 3.
async fn serve(
    part: &str,
    sender: &FrameSender,
    receiver: &mut FrameReceiver,
    progress: &Progress,
) {
    if let Some(first) = first_word(part) {
        say(sender, &[first]);
    }
    say(sender, &[ready(4)]);
    loop {
        let frame = receiver.recv().await.unwrap().unwrap();
        if frame.kind != Kind::Role {
            continue;
        }
        for message in hive_messages(frame) {
            match message.unwrap() {
                ToBee::NewTask { .. } if part == "never answers" => {}
                ToBee::NewTask { task_id, round } => {
                    say(sender, &lies(part, "asked", task_id.0, round.0));
                    say(sender, &[accept(task_id.0, round.0)]);
                    say(sender, &lies(part, "offered", task_id.0, round.0));
                }
                ToBee::TaskInfo(info) => {
                    progress.set_started(progress.started() + 1);
                    let (task, round) = (info.task_id.0, info.round.0);
                    match part {
                        "hangs up" => {
                            platform::hang_up();
                            // Her runtime's own sockets are among them: it must not run any more.
                            loop {
                                std::thread::park();
                            }
                        }
                        "mute" => {
                            eprintln!("she has it and says nothing");
                            pending().await
                        }
                        "says bye, and stays" => {
                            sender.try_send(FromWorker::Bye.into_frame()).unwrap();
                            pending().await
                        }
                        _ => break_protocol(part, "given", sender),
                    }
                    say(sender, &lies(part, "given", task, round));
                    say(sender, &[done(task, round, 3)]);
                    say(sender, &lies(part, "done", task, round));
                }
                ToBee::Die if part == "dies for ever" => {
                    say(sender, &[FromBee::Dying]);
                    pending().await
                }
                ToBee::Die if part == "is dead, and stays" => {
                    say(sender, &[FromBee::Dead]);
                    pending().await
                }
                ToBee::Die => return say(sender, &[FromBee::Dead]),
                ToBee::TaskTaken { .. } | ToBee::TaskCancel { .. } | ToBee::GiveBack { .. } => {}
            }
        }
    }
}

/// What a part says before it is ready, if anything.
fn first_word(part: &str) -> Option<FromBee> {
    Some(match part.strip_prefix("first: ")? {
        "task_accepted" => accept(0, 1),
        "task_denied" => deny(0, 1),
        "task_done" => done(0, 1, 3),
        "behind" => FromBee::Behind { waiting: 1 },
        "caught_up" => FromBee::CaughtUp,
        "gave_back" => FromBee::GaveBack { waiting: 0 },
        "dying" => FromBee::Dying,
        "dead" => FromBee::Dead,
        other => panic!("nobody says {other}"),
    })
}

/// What a part says at a moment beside what is true.
fn lies(part: &str, moment: &str, task: u64, round: u32) -> Vec<FromBee> {
    let progress = |round| FromBee::TaskProgress {
        task_id: TaskId(task),
        round: Round(round),
        progress: Bytes::from_static(&[9]),
    };
    match (part, moment) {
        ("done-before", "asked") => vec![done(task, round, 9), progress(round)],
        ("done-of-nobody", "given") => vec![done(1 << 60, 1, 9), done(task.wrapping_sub(1), 1, 9)],
        ("other-rounds", "given") => vec![
            done(task, round + 1, 9),
            done(task, round.wrapping_sub(1), 9),
            progress(round + 1),
        ],
        ("done-twice", "done") => vec![done(task, round, 9), progress(round)],
        ("denies-too", "offered" | "given" | "done") => vec![deny(task, round)],
        ("accepts-twice", "offered" | "given" | "done") => vec![accept(task, round)],
        ("accepts-anything", "offered") => vec![accept(1 << 60, 1), accept(task, round + 1)],
        ("out of turn: ready", "given") => vec![ready(1000)],
        ("out of turn: dead", "given") => vec![FromBee::Dead],
        ("out of turn: dying", "given") => vec![FromBee::Dying],
        ("out of turn: gave_back", "given") => vec![FromBee::GaveBack { waiting: 0 }],
        ("out of turn: task_returned", "given") => vec![FromBee::TaskReturned {
            task_id: TaskId(task),
            round: Round(round),
        }],
        ("cancels", "given") => vec![FromBee::TaskDone {
            task_id: TaskId(task),
            round: Round(round),
            status: TaskStatus::Cancelled,
        }],
        _ => Vec::new(),
    }
}

/// Says at a moment what is not said at all, if the part is `moment what`.
fn break_protocol(part: &str, moment: &str, sender: &FrameSender) {
    let Some((when, what)) = part.split_once(' ') else {
        return;
    };
    let (kind, body) = match what {
        _ if when != moment => return,
        "rubbish" => (Kind::Role, vec![0xff; 64]),
        "nothing" => (Kind::Role, Vec::new()),
        "half" => (Kind::Role, vec![2, 0x80]),
        "2^60" => {
            let huge = vec![4, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 15];
            (Kind::Role, huge)
        }
        "too much" => (Kind::Role, [3, 0, 0].repeat(MAX_HIVE_MESSAGES + 1)),
        "a parent's words" => (Kind::Welcome, vec![0; 8]),
        other => panic!("nobody says {other}"),
    };
    sender.try_send(Frame::new(kind, body)).unwrap();
}

fn say(sender: &FrameSender, all: &[FromBee]) {
    let mut writer = HiveWriter::default();
    for message in all {
        writer.push(message, usize::MAX).unwrap();
    }
    if !writer.is_empty() {
        sender.try_send(writer.take()).unwrap();
    }
}

fn ready(most: u32) -> FromBee {
    let max_concurrency = Some(most);
    FromBee::Ready { max_concurrency }
}

fn done(task: u64, round: u32, value: u8) -> FromBee {
    let returning_value = encode_checked(&u64::from(value), 100).unwrap().into();
    FromBee::TaskDone {
        task_id: TaskId(task),
        round: Round(round),
        status: TaskStatus::Succeeded { returning_value },
    }
}

fn accept(task: u64, round: u32) -> FromBee {
    let (task_id, round) = (TaskId(task), Round(round));
    FromBee::TaskAccepted { task_id, round }
}

fn deny(task: u64, round: u32) -> FromBee {
    let (task_id, round) = (TaskId(task), Round(round));
    FromBee::TaskDenied { task_id, round }
}

fn playing(part: &str) -> BeehiveRun<Doer> {
    let run = hive_of::<Doer>(Birth::Plays(part.into()));
    run.processes(2).crash_limit(1)
}

#[test_with(check)]
fn rule_03_what_belongs_to_no_task_of_hers_changes_nothing() {
    for part in [
        "done-before",
        "done-of-nobody",
        "other-rounds",
        "done-twice",
        "denies-too",
        "accepts-twice",
        "accepts-anything",
    ] {
        let playing = || playing(part);
        both_ways(playing, async |hive| {
            let all = (0..50).map(|n| hive.add(n, 1).with_bee());
            for (result, child) in join_all(all).await {
                assert_eq!(result, Ok(3), "{part}");
                assert!(child.is_some_and(|child| child < 2), "{part}");
            }
        });
    }
}

/// Who says so has no reason to give.
#[test_with(either_way, || playing("cancels"))]
async fn a_task_that_is_cancelled_by_its_bee_is_told_so(hive: Hive<Doer>) {
    assert_eq!(reason(hive.add(1, 2).await), CancelReason::Unasked);
}

/// Case H60: A bee that breaks the protocol is killed, and nothing that it says is believed.
#[test]
fn a_bee_that_breaks_the_protocol_is_killed_and_not_believed() {
    const SAID: [&str; 6] = [
        "rubbish",
        "nothing",
        "half",
        "2^60",
        "too much",
        "a parent's words",
    ];
    check(|| {
        for (what, moment) in SAID
            .iter()
            .flat_map(|what| [(what, "given"), (what, "born")])
        {
            let playing = || playing(&format!("{moment} {what}"));
            both_ways(playing, async |hive| {
                let (result, child) = hive.add(1, 2).with_bee().await;
                let death = match reason(result) {
                    CancelReason::WorkerLost { death, .. } => death,
                    CancelReason::NoWorkers(NoWorkers::Died { death }) if moment == "born" => death,
                    other => panic!("{what}: {other}"),
                };
                let is_broken = matches!(death.cause, DeathCause::BrokeProtocol(_));
                assert!(is_broken, "{what}: {death}");
                assert_eq!(child, None);
            });
        }
    });
}

/// The process lives, but nobody can hear it: it does not take silence of its heart to see that.
#[test_with(
    either_way,
    || playing("hangs up").workers(watched(LivenessPolicy { missed_beats: u32::MAX, ..quick() }))
)]
async fn a_bee_that_hangs_up_and_stays_is_killed(hive: Hive<Doer>) {
    let (death, _) = lost(hive.add(1, 2).await);
    assert_eq!(death.cause, DeathCause::HungUp);
}

/// A hive of bees that take a task and say nothing, until they are killed.
fn mute() -> BeehiveRun<Doer> {
    let deadly = watched(LivenessPolicy {
        frozen: Verdict::Kill,
        ..quick()
    });
    let quiet = deadly.stderr(WorkerStderr::Discard);
    playing("mute").crash_limit(2).workers(quiet)
}

#[test_with(either_way, mute)]
async fn a_mute_bee_is_frozen_and_what_she_had_says_why(hive: Hive<Doer>) {
    let muted = hive.add(1, 2).await;
    let shown = reason(muted.clone()).to_string();
    let words = "(attempts: 2); its last words:\nshe has it and says nothing";
    assert!(shown.ends_with(words), "{shown}");
    let (death, _) = lost(muted);
    assert_eq!(death.cause, DeathCause::Frozen);
    let words = String::from_utf8_lossy(death.last_words.stderr());
    assert_eq!(words.trim_end(), "she has it and says nothing");
}

/// The bee never says whether it is made, and never stops talking.
#[test]
fn a_bee_that_floods_is_not_waited_for() {
    let limit = Duration::from_millis(50);
    let deadlines = Deadlines::new().init(limit);
    let floods = || {
        playing("floods")
            .deadlines(deadlines)
            .workers(no_second_bee())
    };
    either_way(floods, async |hive| {
        let why = CancelReason::NoWorkers(NoWorkers::TimedOut { limit });
        assert_eq!(reason(hive.add(1, 2).await), why);
    });
}

/// Case G4: A bee whose first message is not `ready` is killed, and so is one that speaks out of turn; both are told
/// as breaking the protocol.
#[test]
fn rule_18_a_bee_that_speaks_out_of_turn_is_killed() {
    const FIRST: [&str; 8] = [
        "task_accepted",
        "task_denied",
        "task_done",
        "behind",
        "caught_up",
        "gave_back",
        "dying",
        "dead",
    ];
    const LATER: [&str; 5] = ["ready", "dead", "dying", "gave_back", "task_returned"];
    let first = FIRST.map(|what| format!("first: {what}"));
    let later = LATER.map(|what| format!("out of turn: {what}"));
    check(|| {
        for part in first.iter().chain(&later) {
            let playing = || playing(part).workers(no_second_bee());
            both_ways(playing, async |hive| {
                let death = match reason(hive.add(1, 2).await) {
                    CancelReason::WorkerLost { death, .. } => death,
                    CancelReason::NoWorkers(NoWorkers::Died { death }) => death,
                    other => panic!("{part}: {other}"),
                };
                let is_broken = matches!(death.cause, DeathCause::BrokeProtocol(_));
                assert!(is_broken, "{part}: {death}");
            });
        }
    });
}

/// Each word is followed by nothing, and the bee lives on: there is a limit to each of its steps, and it is killed then.
#[test_with(check)]
fn rule_19_a_bee_that_does_not_go_on_is_killed() {
    let grace = Duration::from_millis(100);
    let stays = |part: &str| {
        let deadlines = Deadlines::new().exit_grace(grace).bury_grace(grace);
        let workers = no_second_bee().liveness(LivenessPolicy {
            missed_beats: u32::MAX,
            ..quick()
        });
        playing(part).deadlines(deadlines).workers(workers)
    };
    both_ways(
        || stays("fails, and stays"),
        async |hive| match reason(hive.add(1, 2).await) {
            CancelReason::NoWorkers(NoWorkers::NotMade { message }) => {
                assert_eq!(message, "it was not to be");
            }
            other => panic!("{other}"),
        },
    );
    both_ways(
        || stays("says bye, and stays"),
        async |hive| {
            let (death, _) = lost(hive.add(1, 2).await);
            assert_eq!(death.cause, DeathCause::Lingered);
        },
    );
    for part in ["dies for ever", "is dead, and stays"] {
        both_ways(
            || stays(part),
            async |hive| {
                assert_eq!(hive.add(1, 2).await, Ok(3));
                assert_eq!(hive.bury(Some(0)).await, Some(0), "{part}");
            },
        );
    }
}

/// Bees that are not replaced when they have done nothing.
fn no_second_bee() -> WorkerOptions {
    WorkerOptions::new().restart_budget(RestartBudget {
        limit: 0,
        ..RestartBudget::default()
    })
}

/// Case G3: A bee that beats and never answers an offer is killed when the time for an answer is over, and what she
/// died of is told.
#[test]
fn rule_17_a_bee_that_beats_and_never_answers_is_killed() {
    let limit = Duration::from_millis(100);
    let silent = || {
        let deadlines = Deadlines::new().answer(limit);
        playing("never answers")
            .deadlines(deadlines)
            .workers(no_second_bee())
    };
    check(|| {
        block_on(
            silent().live(async |hive| match reason(hive.add(1, 2).await) {
                CancelReason::NoWorkers(NoWorkers::Died { death }) => {
                    assert_eq!(death.cause, DeathCause::NoAnswer { limit });
                }
                other => panic!("{other}"),
            }),
        );
    });
}
