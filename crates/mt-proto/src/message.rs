//! What a parent and any worker can say to each other. What else they say is a role's business.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Attachments, Build, DecodeError, Frame, Kind, TraceEvents, TraceLevel, WorkerId, clip_text,
    decode_strict, encode, encode::take_from_bytes,
};

/// What a parent says to any worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToWorker {
    /// You are accepted; this is your identity.
    Welcome(Welcome),
    /// You are not accepted, for this is my build; exit.
    Refused(Build),
    /// I am alive, or: die.
    Beat(Beat),
    /// What to be from now on.
    Assign(Assignment),
    /// Finish what you have, and wait for another assignment.
    Rest,
}

/// What any worker says to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromWorker {
    /// Here I am; this is my build.
    Hello(Build),
    /// I am alive, and this far.
    Beat(WorkerBeat),
    /// Set up for what I was assigned to.
    Ready,
    /// Not set up; I exit now.
    SetupFailed(SetupFailure),
    /// `tracing` events, oldest first.
    Trace {
        /// The events, at most [`MAX_TRACE_EVENTS`](crate::MAX_TRACE_EVENTS). All together are at most
        /// [`MAX_CONTROL_BYTES`](crate::MAX_CONTROL_BYTES) long.
        events: TraceEvents,
        /// How many more there were since the last of these messages, for which there was no room.
        dropped: u64,
    },
    /// All is done and sent; I wait for another assignment.
    Rested,
    /// All is done and sent; I exit now.
    Bye,
}

/// What a worker is to be from now on. The body is the role's own, and not looked into here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name of the role, at most 255 bytes.
    pub role: String,
    /// The least important `tracing` events to send; `None` for none at all.
    pub trace: Option<TraceLevel>,
    /// What the role is told, encoded.
    pub body: Bytes,
    /// What crosses beside that.
    pub attachments: Attachments,
}

/// The answer to a hello that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The worker's name from now on.
    pub worker: WorkerId,
    /// How often to beat. The seed's 0.5 s is the default of the pool.
    pub beat_interval: Duration,
}

/// The seed's heartbeat byte: 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Beat {
    /// The sender lives (byte 0).
    Alive = 0,
    /// From the parent: finish what you have and die. From a worker: interrupted, about to die in
    /// peace (byte 1).
    Die = 1,
}

/// A worker's heartbeat. The counts tell a busy worker from a blocked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerBeat {
    /// The seed's byte.
    pub beat: Beat,
    /// Items started since the worker began.
    pub started: u64,
    /// Items finished since the worker began.
    pub finished: u64,
    /// Turns of the worker's runtime: stands still while a task blocks it.
    pub turns: u64,
}

/// Why a worker could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupFailure {
    /// How far it came.
    pub step: SetupStep,
    /// What went wrong there.
    pub message: String,
}

/// The steps of setting a worker up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SetupStep {
    /// Finding the task by its name.
    Lookup,
    /// Decoding the shared value or the context's config.
    Decode,
    /// The user's init function.
    Init,
    /// The worker's own runtime.
    Runtime,
}

/// Encodes a message of this crate. Its strings are clipped and its byte strings were made under
/// [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES), so it always encodes.
fn body<T: Serialize>(message: &T) -> Vec<u8> {
    encode(message, usize::MAX).expect("the protocol's own messages always encode")
}

/// The message of this kind, encoded.
pub(crate) fn frame<T: Serialize>(kind: Kind, message: &T) -> Frame {
    Frame::new(kind, body(message))
}

pub(crate) fn decoded<T: DeserializeOwned>(frame: Frame) -> Result<T, DecodeError> {
    decode_strict(&frame.into_plain_body()?)
}

impl Assignment {
    /// The assignment as a frame.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        let mut bytes = body(&(self.role, self.trace));
        bytes.extend_from_slice(&self.body);
        Frame::new(Kind::Assign, bytes).with_attachments(self.attachments)
    }

    /// Shares the bytes of the role's part.
    fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        let attachments = frame.attachments.clone();
        let body = frame.into_body();
        let (head, rest) = take_from_bytes(&body)?;
        let (role, trace): (String, Option<TraceLevel>) = head;
        let body = body.slice_ref(rest);
        Ok(Self {
            role,
            trace,
            body,
            attachments,
        })
    }
}

impl ToWorker {
    /// The message as a frame.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Welcome(welcome) => frame(Kind::Welcome, &welcome),
            Self::Refused(refused) => frame(Kind::Refused, &refused),
            Self::Beat(beat) => frame(Kind::Beat, &beat),
            Self::Assign(assignment) => assignment.into_frame(),
            Self::Rest => frame(Kind::Rest, &()),
        }
    }

    /// The message in a frame that is not the role's ([`Kind::is_of_role`]).
    ///
    /// # Errors
    /// [`DecodeError`]: the message is broken, or goes the other way.
    pub fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Welcome => Self::Welcome(decoded(frame)?),
            Kind::Refused => Self::Refused(Build::from_body(&frame.into_plain_body()?)?),
            Kind::Beat => Self::Beat(decoded(frame)?),
            Kind::Assign => Self::Assign(Assignment::from_frame(frame)?),
            Kind::Rest => decoded(frame).map(|()| Self::Rest)?,
            kind => return Err(DecodeError::WrongDirection(kind)),
        })
    }
}

impl FromWorker {
    /// The message as a frame. Texts are clipped to [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Hello(hello) => frame(Kind::Hello, &hello),
            Self::Beat(beat) => frame(Kind::Beat, &beat),
            Self::Ready => frame(Kind::Ready, &()),
            Self::SetupFailed(mut failure) => {
                failure.message = clip_text(failure.message);
                frame(Kind::SetupFailed, &failure)
            }
            // Its texts were clipped, and their sum bounded, when it was put together.
            Self::Trace { events, dropped } => Frame::new(Kind::Trace, events.into_body(dropped)),
            Self::Rested => frame(Kind::Rested, &()),
            Self::Bye => frame(Kind::Bye, &()),
        }
    }

    /// The message in a frame that is not the role's ([`Kind::is_of_role`]).
    ///
    /// # Errors
    /// [`DecodeError`]: the message is broken, or goes the other way.
    pub fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Hello => Self::Hello(Build::from_body(&frame.into_plain_body()?)?),
            Kind::Beat => Self::Beat(decoded(frame)?),
            Kind::Ready => decoded(frame).map(|()| Self::Ready)?,
            Kind::SetupFailed => Self::SetupFailed(decoded(frame)?),
            Kind::Trace => {
                let (events, dropped) = TraceEvents::from_body(&frame.into_plain_body()?)?;
                Self::Trace { events, dropped }
            }
            Kind::Rested => decoded(frame).map(|()| Self::Rested)?,
            Kind::Bye => decoded(frame).map(|()| Self::Bye)?,
            kind => return Err(DecodeError::WrongDirection(kind)),
        })
    }
}
