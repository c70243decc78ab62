//! The phase of a session fed from bytes: what a worker says, in and out of turn, and what its owner does.

use mt_proto::{Frame, FromWorker, Kind};
use mt_test_kit::{Dice, fuzz};
use tokio::{sync::oneshot, time::Instant};

use super::{Phase, Step};
use crate::supervision::idle_workers::IdleWait;

const KINDS: [Kind; 17] = [
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
    Phase::SettingUp {
        due: None,
        extended: false,
    }
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
            let step = phase.on_message(message);
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
        let _ = (phase.due(), phase.is_watched());
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
    let (_, lease) = oneshot::channel();
    Phase::Idle {
        until: Some(Instant::now()),
        wait: IdleWait::of(lease),
    }
}
