//! The phase of a session: every message in every phase, and every wait with its limit, in virtual time; and fed from
//! bytes, what a worker says, in and out of turn, and what its owner does.

use std::time::Duration;

use mt_proto::{
    Beat, Build, Fingerprint, Frame, FromWorker, Kind, PROTOCOL_VERSION, SetupFailure, SetupStep,
    TraceEvents, WorkerBeat,
};
use mt_test_kit::{Dice, fuzz};
use tokio::{sync::oneshot, time::Instant};

use super::{LATE, Overdue, Phase, PhaseLimits, Step, Wait};
use crate::supervision::idle_workers::IdleWait;

const LIMITS: PhaseLimits = PhaseLimits {
    setup: Duration::from_secs(60),
    leave: Duration::from_secs(5),
};

const KINDS: [Kind; 20] = [
    Kind::Hello,
    Kind::Welcome,
    Kind::Refused,
    Kind::Beat,
    Kind::Assign,
    Kind::Ready,
    Kind::SetupFailed,
    Kind::Items,
    Kind::Results,
    Kind::Notice,
    Kind::Bye,
    Kind::Trace,
    Kind::Patience,
    Kind::Exit,
    Kind::Rest,
    Kind::Rested,
    Kind::Role,
    Kind::Withdraw,
    Kind::Prepare,
    Kind::Forget,
];

/// What must hold of a worker, whatever it says; it knows nothing of phases.
#[derive(Default)]
struct Oracle {
    /// The worker was told what to be, and has not said that it is.
    is_asked: bool,
    is_ready: bool,
}

fn any_frame(dice: &mut Dice<'_>) -> Frame {
    let kind = dice.one_of(&KINDS);
    let length = dice.below(12);
    let body: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
    Frame::new(kind, body)
}

fn set_up() -> Phase {
    Phase::SettingUp(Wait::new(Instant::now(), LIMITS.setup))
}

/// Case Z6: Whatever a worker says, in and out of turn, it is believed to be ready once for each time it is set up, and its
/// role is heard only while it is.
#[test]
fn session() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/session.hex");
    fuzz("session", corpus, |input, trail| {
        let mut dice = Dice::of(input);
        let mut phase = set_up();
        let mut oracle = Oracle {
            is_asked: true,
            is_ready: false,
        };
        for _ in 0..dice.below(60) {
            let frame = any_frame(&mut dice);
            if frame.kind.is_of_role() {
                let said = phase.check_role_frame();
                assert!(said.is_err() || oracle.is_ready, "{phase:?}");
                trail.note(said);
                if said.is_err() {
                    return;
                }
                continue;
            }
            let Ok(message) = FromWorker::from_frame(frame) else {
                return;
            };
            let now = Instant::now();
            let step = phase.on_message(now, LIMITS, message);
            trail.note(
                step.as_ref()
                    .map(std::mem::discriminant)
                    .map_err(|what| *what),
            );
            // It is killed for it.
            let Ok(step) = step else { return };
            oracle.see(&step);
            if step == Step::Rest {
                phase = next_lease(&mut dice, &mut oracle);
            }
        }
        let has_no_limit = matches!(phase, Phase::Working);
        assert_eq!(phase.due().is_none(), has_no_limit, "{phase:?}");
    });
}

impl Oracle {
    fn see(&mut self, step: &Step) {
        match step {
            Step::Ready => {
                assert!(self.is_asked, "it was not asked");
                *self = Self {
                    is_asked: false,
                    is_ready: true,
                };
            }
            Step::Failed(_) => {
                assert!(self.is_asked && !self.is_ready);
                self.is_asked = false;
            }
            Step::Rest => {
                assert!(self.is_ready, "it has nothing to rest from");
                self.is_ready = false;
            }
            Step::Nothing | Step::Beat(_) | Step::Trace { .. } => {}
        }
    }
}

/// The worker waits, or somebody has use for it at once.
fn next_lease(dice: &mut Dice<'_>, oracle: &mut Oracle) -> Phase {
    if dice.one_in(2) {
        oracle.is_asked = true;
        return set_up();
    }
    idle()
}

fn idle() -> Phase {
    let (_, lease) = oneshot::channel();
    Phase::Idle {
        until: Some(Instant::now()),
        wait: IdleWait::of(lease),
    }
}

/// One of each kind of message that any worker may send; and one of the role's.
fn message(name: &str) -> Option<FromWorker> {
    let build = Build {
        version: PROTOCOL_VERSION,
        fingerprint: Fingerprint(7),
    };
    let beat = WorkerBeat {
        beat: Beat::Alive,
        started: 0,
        finished: 0,
        turns: 0,
    };
    let (events, dropped) = (TraceEvents::default(), 0);
    let (step, message) = (SetupStep::Init, "no".to_owned());
    Some(match name {
        "hello" => FromWorker::Hello(build),
        "beat" => FromWorker::Beat(beat),
        "ready" => FromWorker::Ready,
        "failed" => FromWorker::SetupFailed(SetupFailure { step, message }),
        "trace" => FromWorker::Trace { events, dropped },
        "rested" => FromWorker::Rested,
        "bye" => FromWorker::Bye,
        "role" => return None,
        other => panic!("nobody says {other}"),
    })
}

fn in_phase(name: &str, now: Instant) -> Phase {
    let wait = Wait::new(now, LIMITS.leave);
    match name {
        "setting up" => Phase::SettingUp(Wait::new(now, LIMITS.setup)),
        "failed" => Phase::Failed(wait),
        "working" => Phase::Working,
        "idle" => idle(),
        "dismissed" => Phase::Dismissed,
        "leaving" => Phase::Leaving {
            was_ready: true,
            wait,
        },
        other => panic!("there is no phase {other}"),
    }
}

/// What a message comes to there: the step, or that it breaks the protocol. A message of the role is heard, or breaks it.
fn comes_to(phase: &mut Phase, now: Instant, name: &str) -> &'static str {
    let Some(message) = message(name) else {
        return phase.check_role_frame().map_or("broken", |()| "heard");
    };
    match phase.on_message(now, LIMITS, message) {
        Err(_) => "broken",
        Ok(Step::Nothing) => "leaves",
        Ok(Step::Ready) => "ready",
        Ok(Step::Failed(_)) => "failed",
        Ok(Step::Beat(_) | Step::Trace { .. }) => "heard",
        Ok(Step::Rest) => "rests",
    }
}

/// Case G4: Every message of a worker, in every phase in which it is not due, breaks the protocol, and no other does.
#[test]
fn what_is_said_out_of_turn() {
    const SAID: [&str; 8] = [
        "hello", "beat", "ready", "failed", "trace", "rested", "bye", "role",
    ];
    const X: &str = "broken";
    const TABLE: [(&str, [&str; 8]); 6] = [
        (
            "setting up",
            [X, "heard", "ready", "failed", "heard", X, "leaves", X],
        ),
        ("failed", [X, "heard", X, X, "heard", X, "leaves", X]),
        (
            "working",
            [X, "heard", X, X, "heard", "rests", "leaves", "heard"],
        ),
        ("idle", [X, "heard", X, X, "heard", X, X, X]),
        ("dismissed", [X, "heard", X, X, "heard", X, "leaves", X]),
        ("leaving", [X; 8]),
    ];
    let now = Instant::now();
    for (phase, expected) in TABLE {
        let found = SAID.map(|name| comes_to(&mut in_phase(phase, now), now, name));
        assert_eq!(found, expected, "{phase}");
    }
}

/// Plays what a worker says, a second apart; then looks as often as it asks for until something is overdue. Returns that,
/// and how long after the last word it was.
fn ends(said: &[&str], late: Duration) -> End {
    let mut now = Instant::now();
    let mut phase = in_phase("setting up", now);
    let mut last = now;
    for name in said {
        now += Duration::from_secs(1);
        last = now;
        assert_ne!(comes_to(&mut phase, now, name), "broken", "{name}");
    }
    while let Some(due) = phase.due() {
        now = due + late;
        if let Some(what) = phase.overdue(now, LIMITS, None) {
            assert_eq!(phase.due(), None, "it is killed, and told of once");
            return Some((what, now - last));
        }
    }
    None
}

/// What is overdue in the end, and how long after the last word.
type End = Option<(Overdue, Duration)>;

/// A worker that goes on beating after it has said that it failed, or that it goes, is not waited for for ever.
#[test]
fn every_wait_has_a_limit() {
    let second = Duration::from_secs(1);
    let table: [(&[&str], End); 6] = [
        (&[], Some((Overdue::Setup, LIMITS.setup))),
        (&["beat"], Some((Overdue::Setup, LIMITS.setup - second))),
        (&["failed"], Some((Overdue::Leave, LIMITS.leave))),
        // The grace of its failure goes on.
        (
            &["failed", "beat", "bye"],
            Some((Overdue::Leave, LIMITS.leave - 2 * second)),
        ),
        (&["ready", "bye"], Some((Overdue::Leave, LIMITS.leave))),
        // Its owner knows what it waits for.
        (&["ready", "beat"], None),
    ];
    for (said, end) in table {
        assert_eq!(ends(said, Duration::ZERO), end, "{said:?}");
    }
}

#[test]
fn a_parent_that_was_stopped_waits_once_more() {
    let late = 10 * LATE;
    let limit = LIMITS.leave + 3 * late;
    assert_eq!(ends(&["failed"], late), Some((Overdue::Leave, limit)));
    assert_eq!(
        ends(&["failed"], LATE),
        Some((Overdue::Leave, LIMITS.leave + LATE))
    );
}

/// A long assignment takes its time to come.
#[test]
fn the_time_to_be_set_up_begins_when_all_is_there() {
    let start = Instant::now();
    let mut phase = in_phase("setting up", start);
    let moved = start + LIMITS.setup / 2;
    let due = phase.due().expect("it has a limit");
    assert_eq!(phase.overdue(due, LIMITS, Some(moved)), None);
    assert_eq!(phase.due(), Some(moved + LIMITS.setup));
    let due = moved + LIMITS.setup;
    assert_eq!(
        phase.overdue(due, LIMITS, Some(moved)),
        Some(Overdue::Setup)
    );
}
