//! What the parent of a worker may say, and when.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A worker that hears what is not its parent's turn trusts it no more: it says why on its standard error, where its last
//! words are, and ends itself with all that it has started, whatever it is doing. Nothing is waited for.

use mt_proto::{Assignment, Beat, Frame, ToWorker};

/// What comes from the parent while a role is played.
#[derive(Debug)]
pub enum Incoming {
    /// A message of the role, not decoded.
    Frame(Frame),
    /// Finish what was begun, and end: [`RoleEnd::Done`](super::RoleEnd::Done).
    Die,
    /// Finish what was begun, and wait for another assignment: [`RoleEnd::Rested`](super::RoleEnd::Rested).
    Rest,
}

/// What comes from the parent while an assignment is waited for, the first or the next.
#[derive(Debug)]
pub(super) enum Use {
    Assigned(Assignment),
    /// There is none for this worker.
    None,
}

/// Takes in what comes while an assignment is waited for; `None` if the parent only lives. The error says why it is not
/// to be trusted.
pub(super) fn while_waiting(frame: Frame) -> Result<Option<Use>, String> {
    match message(frame)? {
        ToWorker::Beat(Beat::Alive) => Ok(None),
        ToWorker::Beat(Beat::Die) => Ok(Some(Use::None)),
        ToWorker::Assign(assignment) => Ok(Some(Use::Assigned(assignment))),
        ToWorker::Rest => Err("the parent let a worker rest that does nothing".into()),
        ToWorker::Welcome(_) | ToWorker::Refused(_) => Err(answered_twice()),
    }
}

/// Takes in what comes while a role is played; `None` if the parent only lives. The error says why it is not to be
/// trusted.
pub(super) fn while_playing(frame: Frame) -> Result<Option<Incoming>, String> {
    if frame.kind.is_of_role() {
        return Ok(Some(Incoming::Frame(frame)));
    }
    match message(frame)? {
        ToWorker::Beat(Beat::Alive) => Ok(None),
        ToWorker::Beat(Beat::Die) => Ok(Some(Incoming::Die)),
        ToWorker::Rest => Ok(Some(Incoming::Rest)),
        ToWorker::Assign(_) => Err("the parent assigned a role to a worker that has one".into()),
        ToWorker::Welcome(_) | ToWorker::Refused(_) => Err(answered_twice()),
    }
}

fn message(frame: Frame) -> Result<ToWorker, String> {
    let message = ToWorker::from_frame(frame);
    message.map_err(|error| format!("what the parent said makes no sense: {error}"))
}

fn answered_twice() -> String {
    "the parent answered a hello twice".into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use mt_proto::{Attachments, Build, Fingerprint, Kind, PROTOCOL_VERSION, Welcome, WorkerId};

    use super::*;

    fn frame(name: &str) -> Frame {
        let assignment = Assignment {
            role: "a role".into(),
            trace: None,
            body: Bytes::new(),
            attachments: Attachments::NONE,
        };
        let welcome = Welcome {
            worker: WorkerId(0),
            beat_interval: Duration::ZERO,
        };
        let build = Build {
            version: PROTOCOL_VERSION,
            fingerprint: Fingerprint(7),
        };
        match name {
            "welcome" => ToWorker::Welcome(welcome).into_frame(),
            "refused" => ToWorker::Refused(build).into_frame(),
            "alive" => ToWorker::Beat(Beat::Alive).into_frame(),
            "die" => ToWorker::Beat(Beat::Die).into_frame(),
            "assign" => ToWorker::Assign(assignment).into_frame(),
            "rest" => ToWorker::Rest.into_frame(),
            "role" => Frame::new(Kind::Role, vec![1]),
            "items" => Frame::new(Kind::Items, vec![1]),
            "patience" => Frame::new(Kind::Patience, vec![1]),
            "a worker's words" => Frame::new(Kind::Ready, Vec::new()),
            "rubbish" => Frame::new(Kind::Beat, vec![0xff]),
            other => panic!("nobody says {other}"),
        }
    }

    /// Case G4: Every message of a parent, in every phase of a worker in which it is not due, ends the worker, and no other does.
    #[test]
    fn what_is_said_out_of_turn() {
        const X: &str = "ends itself";
        const TABLE: [(&str, [&str; 2]); 11] = [
            ("welcome", [X, X]),
            ("refused", [X, X]),
            ("alive", ["alive", "alive"]),
            ("die", ["die", "die"]),
            ("assign", ["assigned", X]),
            ("rest", [X, "rest"]),
            ("role", [X, "role"]),
            ("items", [X, "role"]),
            ("patience", [X, "role"]),
            ("a worker's words", [X, X]),
            ("rubbish", [X, X]),
        ];
        for (name, expected) in TABLE {
            let waiting = match while_waiting(frame(name)) {
                Ok(None) => "alive",
                Ok(Some(Use::Assigned(_))) => "assigned",
                Ok(Some(Use::None)) => "die",
                Err(_) => X,
            };
            let playing = match while_playing(frame(name)) {
                Ok(None) => "alive",
                Ok(Some(Incoming::Frame(_))) => "role",
                Ok(Some(Incoming::Rest)) => "rest",
                Ok(Some(Incoming::Die)) => "die",
                Err(_) => X,
            };
            let found = [waiting, playing];
            assert_eq!(found, expected, "{name}");
        }
    }
}
