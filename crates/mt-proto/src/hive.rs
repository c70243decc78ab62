//! What a bee and its child say to each other: the seed's eight messages, and those it lacks.
//!
//! A frame holds any number of messages, one after the other: most are a few bytes, and the system calls
//! they cost are shared. Messages keep their order, on the wire and within a frame. `hello`, `welcome` and
//! the heartbeats are those of the pool.

use std::{borrow::Cow, iter, time::Duration};

use bytes::{Buf, Bytes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{DecodeError, EncodeError, Failure, Frame, Kind, encode::take_from_bytes, encode_into};

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
    /// The task is yours: do it.
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
    /// You are behind and somebody else is not: give back so many of the tasks that you have not begun, the last
    /// you were given first. Answered by a `task_returned` for each, and `gave_back`.
    GiveBack {
        /// The most tasks.
        most: u32,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The task.
    pub task_id: TaskId,
    /// The offer.
    pub round: Round,
    /// The task's name.
    pub name: Cow<'static, str>,
    /// The arguments, encoded (the seed's `args` and `kwargs`).
    pub args: Bytes,
    /// How long it may still take before it is cancelled.
    pub deadline: Option<Duration>,
    /// Which attempt at it this is: 1, and one more for every bee that had begun it and is gone.
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
    /// The task has come this far.
    TaskProgress {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
        /// What the task says of itself, encoded.
        progress: Bytes,
    },
    /// The task is done, in one way or another.
    TaskDone {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
        /// How.
        status: TaskStatus,
    },
    /// I have finished, and exit.
    Dead,
    /// I have nothing left to do, and my own children are dying; `dead` follows when they are gone.
    Dying,
    /// A task holds my thread and others wait for it: I want no more until I have caught up.
    Behind {
        /// The tasks that I was given and have not begun.
        waiting: u32,
    },
    /// No task waits for my thread any more.
    CaughtUp,
    /// I had not begun this task and never will: it is yours again.
    TaskReturned {
        /// The task.
        task_id: TaskId,
        /// The offer.
        round: Round,
    },
    /// I have given back what I was asked for, as far as there was so much.
    GaveBack {
        /// The tasks that I was given and have not begun.
        waiting: u32,
    },
}

/// How a task ended, as the bee that had it tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskStatus {
    /// The task returned this, encoded.
    Succeeded {
        /// The value.
        returning_value: Bytes,
    },
    /// The task returned an error.
    Raised(Box<RaisedException>),
    /// The task panicked, was not called, or returned what can't be sent.
    Failed(Box<Failure>),
    /// There is no task of that name.
    NoSuchTask,
    /// The task was cancelled. Why, the parent knows.
    Cancelled,
}

/// An error that a task returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedException {
    /// What it says, with its causes.
    pub exception: String,
    /// The name of its type.
    pub type_name: String,
    /// The error itself, encoded, or why this one does not encode, if its type crosses.
    pub value: Option<Result<Bytes, String>>,
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
        Frame::new(Kind::Role, std::mem::take(&mut self.bytes))
    }
}

/// The messages of a frame, one after the other, each decoded when it is asked for.
///
/// The error of one that is no `M`, and of a frame that is no hive frame or holds none or too many, is the
/// last item.
pub fn hive_messages<M: DeserializeOwned>(
    frame: Frame,
) -> impl Iterator<Item = Result<M, DecodeError>> {
    let kind = frame.kind;
    let body = frame.into_plain_body();
    let (mut body, mut refused) = match body {
        Ok(body) => (body, None),
        Err(error) => (Bytes::new(), Some(error)),
    };
    let mut read = 0;
    iter::from_fn(move || {
        if let Some(error) = refused.take() {
            read = 1;
            return Some(Err(error));
        }
        if read > 0 && body.is_empty() {
            return None;
        }
        let message = match kind {
            Kind::Role => read_message(&mut body, read),
            other => Err(DecodeError::WrongDirection(other)),
        };
        read += 1;
        if message.is_err() {
            body.clear();
        }
        Some(message)
    })
}

/// Takes the message at the front of a frame's body, of which so many were read `before`.
fn read_message<M: DeserializeOwned>(body: &mut Bytes, before: usize) -> Result<M, DecodeError> {
    let malformed = |what| Err(DecodeError::Malformed(what));
    if before == MAX_HIVE_MESSAGES {
        return malformed("more messages than a frame may hold");
    }
    if body.is_empty() {
        return malformed("a frame without messages");
    }
    let (message, rest) = take_from_bytes(body)?;
    let read = body.len() - rest.len();
    if read == 0 {
        return malformed("a message of no bytes");
    }
    body.advance(read);
    Ok(message)
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

    fn info(name: &str) -> ToBee {
        ToBee::TaskInfo(TaskInfo {
            task_id: TaskId(7),
            round: Round(2),
            name: name.to_owned().into(),
            args: Bytes::from_static(&[1, 2, 3]),
            deadline: Some(Duration::from_secs(1)),
            attempt: 1,
        })
    }

    fn read<M: DeserializeOwned>(frame: Frame) -> Result<Vec<M>, DecodeError> {
        hive_messages(frame).collect()
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
        let messages = vec![offer(1), offer(300), info("resize"), ToBee::Die];
        assert_eq!(read::<ToBee>(frame_of(&messages)), Ok(messages));
    }

    #[test]
    fn golden_bytes() {
        let bytes = frame_of(&[offer(300), ToBee::Die]).into_body();
        assert_eq!(bytes[..], [0, 0xac, 2, 1, 4]);
        let done = FromBee::TaskDone {
            task_id: TaskId(1),
            round: Round(0),
            status: TaskStatus::Raised(Box::new(RaisedException {
                exception: "no".into(),
                type_name: "E".into(),
                value: None,
            })),
        };
        let mut writer = HiveWriter::default();
        writer.push(&done, 100).unwrap();
        writer.push(&FromBee::Dead, 100).unwrap();
        assert_eq!(
            writer.take().into_body()[..],
            [4, 1, 0, 1, 2, b'n', b'o', 1, b'E', 0, 5]
        );
    }

    #[test]
    fn cut_empty_and_foreign_frames_are_refused() {
        let body = frame_of(&[offer(300), offer(300)]).into_body();
        for end in [0, 1, 2, 3, 5, 6, 7] {
            let cut = Frame::new(Kind::Role, body.slice(..end));
            assert!(read::<ToBee>(cut).is_err(), "cut to {end} bytes");
        }
        assert!(read::<ToBee>(Frame::new(Kind::Items, body)).is_err());
        let many = Frame::new(Kind::Role, vec![4; MAX_HIVE_MESSAGES + 1]);
        assert!(read::<ToBee>(many).is_err());
    }

    #[test]
    fn what_is_too_long_adds_nothing() {
        let mut writer = HiveWriter::default();
        writer.push(&ToBee::Die, 10).unwrap();
        assert!(writer.push(&info(&"x".repeat(100)), 10).is_err());
        assert_eq!(read::<ToBee>(writer.take()), Ok(vec![ToBee::Die]));
    }
}
