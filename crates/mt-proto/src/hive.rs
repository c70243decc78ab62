//! What a bee and its child say to each other: the seed's eight messages, and those it lacks.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A frame holds any number of messages, one after the other: most are a few bytes, and the system calls
//! they cost are shared. Messages keep their order, on the wire and within a frame. `hello`, `welcome` and
//! the heartbeats are those of the pool.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{DecodeError, EncodeError, Frame, Kind, clip_text, encode_into};

/// A task of a bee for one of its children, zero-based, never used again.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TaskId(pub u64);

/// How often a task has been offered: answers to earlier offers are told apart by it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Round(pub u32);

/// What a bee says to its child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToBee {
    /// Who wants this task?
    NewTask {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// You wanted it; somebody else has it.
    TaskTaken {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// It is yours: do it.
    TaskInfo(TaskInfo),
    /// Stop doing it; a `task_done` follows all the same.
    TaskCancel {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// Take no more tasks, finish those you have, and die.
    Die,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The task.
    pub task_id: TaskId,
    /// The offer.
    pub round: Round,
    /// The task's name.
    pub name: String,
    /// Its arguments, encoded (the seed's `args` and `kwargs`).
    pub args: Bytes,
    /// How long it may still take before it is cancelled.
    pub deadline: Option<Duration>,
    /// Which attempt at it this is: 1, and one more for every bee that had it and is gone.
    pub attempt: u32,
}

/// What a bee says to its parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromBee {
    /// I am made, and do up to so many tasks at once; `None` is no limit.
    Ready {
        /// The most tasks at once.
        max_concurrency: Option<u32>,
    },
    /// I can't be made.
    NotReady {
        /// Why.
        message: String,
    },
    /// I want this task.
    TaskAccepted {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// I don't want it.
    TaskDenied {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// This far.
    TaskProgress {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
        /// What the task says of itself, encoded.
        progress: Bytes,
    },
    /// It is done, in one way or another.
    TaskDone {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
        /// How.
        status: TaskStatus,
    },
    /// I am about to exit.
    Dead(DeathType),
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskStatus {
    /// It returned this, encoded.
    Succeeded {
        /// The value.
        returning_value: Bytes,
    },
    /// It returned an error, panicked, or could not be called.
    Raised(RaisedException),
    /// It was cancelled.
    Cancelled {
        /// Why, if that is known.
        reason: Option<String>,
    },
}

/// An error that crossed as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedException {
    /// What it says.
    pub exception: String,
    /// The call stack, one line each; may be empty.
    pub traceback: Vec<String>,
    /// What else there is to say: the error's type, where a panic was.
    pub other_details: BTreeMap<String, String>,
    /// The error itself, encoded, if the task's error type crosses.
    pub value: Option<Bytes>,
}

/// How a bee's life ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeathType {
    /// It has finished.
    Normal {
        /// An exit code or a last word.
        exit_code: Option<String>,
    },
    /// Something has ended it.
    Killed {
        /// What.
        exception: String,
        /// The call stack, one line each.
        traceback: Vec<String>,
    },
}

/// The most messages of one frame. A child that is sent more at once is sent more frames.
pub const MAX_HIVE_MESSAGES: usize = 4096;

/// Messages on their way into one frame.
#[derive(Debug, Default)]
pub struct HiveWriter {
    bytes: Vec<u8>,
    messages: usize,
}

impl HiveWriter {
    /// Adds a message.
    ///
    /// # Errors
    /// [`EncodeError::TooLarge`] when it is longer than `limit` once encoded; nothing was added.
    pub fn push<M: Serialize>(&mut self, message: &M, limit: usize) -> Result<(), EncodeError> {
        encode_into(&mut self.bytes, message, limit)?;
        self.messages += 1;
        Ok(())
    }

    /// Whether it has no messages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// Whether it should be sent before more is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.messages >= MAX_HIVE_MESSAGES || self.bytes.len() >= crate::CHUNK_BYTES / 2
    }

    /// The bytes so far.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The frame with all messages; the writer is empty afterwards.
    #[must_use]
    pub fn take(&mut self) -> Frame {
        self.messages = 0;
        Frame::new(Kind::Hive, std::mem::take(&mut self.bytes))
    }
}

/// The messages of a frame.
///
/// # Errors
/// [`DecodeError`] when it is no hive frame, holds none or too many, or one of them is no `M`.
pub fn hive_messages<M: DeserializeOwned>(frame: Frame) -> Result<Vec<M>, DecodeError> {
    if frame.kind != Kind::Hive {
        return Err(DecodeError::WrongDirection(frame.kind));
    }
    let body = frame.into_body();
    let mut rest = &body[..];
    let mut messages = Vec::new();
    while !rest.is_empty() {
        if messages.len() == MAX_HIVE_MESSAGES {
            return Err(DecodeError::Malformed(
                "more messages than a frame may hold",
            ));
        }
        let (message, after) = postcard::take_from_bytes(rest).map_err(DecodeError::Value)?;
        if after.len() == rest.len() {
            return Err(DecodeError::Malformed("a message of no bytes"));
        }
        messages.push(message);
        rest = after;
    }
    if messages.is_empty() {
        return Err(DecodeError::Malformed("a frame without messages"));
    }
    Ok(messages)
}

impl RaisedException {
    /// An exception that is only text, clipped.
    #[must_use]
    pub fn text(exception: impl Into<String>) -> Self {
        Self {
            exception: clip_text(exception.into()),
            traceback: Vec::new(),
            other_details: BTreeMap::new(),
            value: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(task: u64) -> ToBee {
        ToBee::NewTask {
            task_id: TaskId(task),
            round: Round(1),
        }
    }

    fn frame_of(messages: &[ToBee]) -> Frame {
        let mut writer = HiveWriter::default();
        for message in messages {
            writer.push(message, 1000).unwrap();
        }
        writer.take()
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let info = TaskInfo {
            task_id: TaskId(7),
            round: Round(2),
            name: "resize".into(),
            args: Bytes::from_static(&[1, 2, 3]),
            deadline: Some(Duration::from_secs(1)),
            attempt: 1,
        };
        let messages = vec![offer(1), offer(300), ToBee::TaskInfo(info), ToBee::Die];
        assert_eq!(hive_messages::<ToBee>(frame_of(&messages)), Ok(messages));
    }

    #[test]
    fn golden_bytes() {
        let bytes = frame_of(&[offer(300), ToBee::Die]).into_body();
        assert_eq!(bytes[..], [0, 0xac, 2, 1, 4]);
        let done = FromBee::TaskDone {
            task_id: TaskId(1),
            round: Round(0),
            status: TaskStatus::Cancelled {
                reason: Some("no".into()),
            },
        };
        let mut writer = HiveWriter::default();
        writer.push(&done, 100).unwrap();
        assert_eq!(
            writer.take().into_body()[..],
            [5, 1, 0, 2, 1, 2, b'n', b'o']
        );
    }

    #[test]
    fn cut_empty_and_foreign_frames_are_refused() {
        let body = frame_of(&[offer(300), offer(300)]).into_body();
        for end in [0, 1, 2, 3, 5, 6, 7] {
            let cut = Frame::new(Kind::Hive, body.slice(..end));
            assert!(hive_messages::<ToBee>(cut).is_err(), "cut to {end} bytes");
        }
        assert!(hive_messages::<ToBee>(Frame::new(Kind::Items, body)).is_err());
        let many = Frame::new(Kind::Hive, vec![4; MAX_HIVE_MESSAGES + 1]);
        assert!(hive_messages::<ToBee>(many).is_err());
    }

    #[test]
    fn what_is_too_long_adds_nothing() {
        let mut writer = HiveWriter::default();
        writer.push(&ToBee::Die, 10).unwrap();
        let long = FromBee::NotReady {
            message: "x".repeat(100),
        };
        assert!(writer.push(&long, 10).is_err());
        assert_eq!(hive_messages::<ToBee>(writer.take()), Ok(vec![ToBee::Die]));
    }
}
