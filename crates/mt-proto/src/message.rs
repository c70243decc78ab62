//! All that parent and worker can say to each other.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    ContextStep, DecodeError, Fingerprint, Frame, ItemIndex, Kind, MAX_TRACE_EVENTS,
    MAX_TRACE_FIELDS, Segment, TraceEvent, TraceLevel, WorkerId, clip_text, decode_strict, encode,
};

/// What a parent says to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one setup in a worker's life, and it is never kept in this form"
)]
pub enum ToWorker {
    /// You are accepted; this is your identity.
    Welcome(Welcome),
    /// You are not accepted; exit.
    Refused(Refused),
    /// I am alive, or: die.
    Beat(Beat),
    /// What to run from now on.
    Setup(Setup),
    /// Of the items that come next, those that are not started within this time are not to be started.
    Patience(Duration),
    /// Work on these.
    Items(Segment),
    /// Finish what you have, and wait for another setup.
    Rest,
}

/// What a worker says to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromWorker {
    /// Here I am; this is my build.
    Hello(Hello),
    /// I am alive, and this far.
    Beat(WorkerBeat),
    /// Set up: send items.
    Ready,
    /// Not set up; I exit now.
    SetupFailed(SetupFailure),
    /// What became of these items.
    Results(Segment),
    /// Something the user may want to know that belongs to no item.
    Notice(Notice),
    /// What the exit hook returned.
    Exit(ExitReport),
    /// All is done and sent; I wait for another setup.
    Rested,
    /// All is done and sent; I exit now.
    Bye,
}

/// A worker's first word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION) of its build. First, so that any version can read it.
    pub version: u16,
    /// Its registered tasks.
    pub fingerprint: Fingerprint,
    /// Its process id, as it sees it.
    pub pid: u32,
}

/// The answer to a hello that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The worker's name from now on.
    pub worker: WorkerId,
    /// How often to beat. The seed's 0.5 s is the default of the pool.
    pub beat_interval: Duration,
}

/// The answer to a hello that does not fit: what the parent has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The parent's protocol version.
    pub version: u16,
    /// The parent's fingerprint.
    pub fingerprint: Fingerprint,
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

/// What a worker runs from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The registered name of the task.
    pub task: String,
    /// Called once before the first item.
    pub init: Option<InitCall>,
    /// The value all items share, encoded (the seed's `asyn_func_args` and `asyn_func_kwargs`).
    pub shared: Bytes,
    /// The config of the context, encoded (the seed's `cvc_func_args` and `cvc_func_kwargs`).
    pub context: Bytes,
    /// Items per context.
    pub batch_size: u32,
    /// Items running at once; at least 1.
    pub max_concurrency: u32,
    /// The most pieces the parent has on the way at once: the bound of the worker's inbox.
    pub max_pieces: u32,
    /// The most bytes of one encoded result.
    pub max_result_bytes: u32,
    /// Called once after the last item.
    pub exit: Option<InitCall>,
    /// How long an item may wait to be started, in all; [`ToWorker::Patience`] says what is left of it.
    pub queue_deadline: Option<Duration>,
    /// How long a call may take before it is cancelled.
    pub soft_deadline: Option<Duration>,
    /// How long opening or closing a context may take.
    pub context_deadline: Option<Duration>,
    /// What every item's random numbers are made from, together with its index.
    pub seed: u64,
    /// Whether to say when contexts are opened and closed; that they fail to close is said anyway.
    pub tell_contexts: bool,
    /// The least important `tracing` events to send; `None` for none at all.
    pub trace: Option<TraceLevel>,
}

/// What became of the exit hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitReport {
    /// It returned this, encoded.
    Returned(Bytes),
    /// It returned an error, or panicked.
    Failed(String),
}

/// A task that is called once in a worker: the seed's `init_func` with its arguments, or the exit hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitCall {
    /// The registered name of the task to call.
    pub task: String,
    /// Its input, encoded.
    pub input: Bytes,
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

/// Something that belongs to no item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Notice {
    /// A step of a context failed: closing it, after its items had their outcomes; or, if it is to be
    /// told, opening it.
    Context {
        /// Which step.
        step: ContextStep,
        /// What the context's code said.
        message: String,
    },
    /// A context was opened.
    ContextOpened,
    /// A context was closed.
    ContextClosed,
    /// `tracing` events of the worker, oldest first.
    Trace {
        /// The events, at most [`MAX_TRACE_EVENTS`](crate::MAX_TRACE_EVENTS). All together are at most
        /// [`MAX_CONTROL_BYTES`](crate::MAX_CONTROL_BYTES) long.
        events: Vec<TraceEvent>,
        /// How many more there were since the last of these notices, for which there was no room.
        dropped: u64,
    },
    /// The items that took longest, in no particular order. Said before
    /// [`Rested`](FromWorker::Rested); otherwise they are read from the shared memory.
    Slowest(Vec<(ItemIndex, Duration)>),
}

/// Encodes a message of this crate. Its strings are clipped and its byte strings were made under
/// [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES), so it always encodes.
fn body<T: Serialize>(message: &T) -> Vec<u8> {
    encode(message, usize::MAX).expect("the protocol's own messages always encode")
}

fn empty<T>(frame: Frame, message: T) -> Result<T, DecodeError> {
    match frame.body_bytes() {
        0 => Ok(message),
        n => Err(DecodeError::Trailing(n)),
    }
}

impl ToWorker {
    /// The message as a frame. Items share their bytes with it.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Welcome(welcome) => Frame::new(Kind::Welcome, body(&welcome)),
            Self::Refused(refused) => Frame::new(Kind::Refused, body(&refused)),
            Self::Beat(beat) => Frame::new(Kind::Beat, vec![beat as u8]),
            Self::Setup(setup) => Frame::new(Kind::Setup, body(&setup)),
            Self::Patience(time) => Frame::new(Kind::Patience, body(&time)),
            Self::Items(run) => run.into_frame(Kind::Items),
            Self::Rest => Frame::new(Kind::Rest, Bytes::new()),
        }
    }

    /// The message in a frame.
    ///
    /// # Errors
    /// [`DecodeError`]: the frame is not a message for a worker.
    pub fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Welcome => Self::Welcome(decode_strict(&frame.into_body())?),
            Kind::Refused => Self::Refused(decode_strict(&frame.into_body())?),
            Kind::Beat => Self::Beat(decode_strict(&frame.into_body())?),
            Kind::Setup => Self::Setup(decode_strict(&frame.into_body())?),
            Kind::Patience => Self::Patience(decode_strict(&frame.into_body())?),
            Kind::Items => Self::Items(Segment::from_body(frame.into_body())?),
            Kind::Rest => empty(frame, Self::Rest)?,
            kind @ (Kind::Hello
            | Kind::Ready
            | Kind::SetupFailed
            | Kind::Results
            | Kind::Notice
            | Kind::Exit
            | Kind::Rested
            | Kind::Hive
            | Kind::BeeSetup
            | Kind::Bye) => return Err(DecodeError::WrongDirection(kind)),
        })
    }
}

impl Notice {
    /// Refuses what is short on the wire and long in memory.
    fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        let notice = decode_strict(body)?;
        if let Self::Trace { events, .. } = &notice {
            let fields = events.iter().map(|event| event.fields.len()).max();
            if events.len() > MAX_TRACE_EVENTS || fields > Some(MAX_TRACE_FIELDS) {
                return Err(DecodeError::Malformed("too many events, or fields of one"));
            }
        }
        Ok(notice)
    }
}

impl FromWorker {
    /// The message as a frame. Texts are clipped to [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Hello(hello) => Frame::new(Kind::Hello, body(&hello)),
            Self::Beat(beat) => Frame::new(Kind::Beat, body(&beat)),
            Self::Ready => Frame::new(Kind::Ready, Bytes::new()),
            Self::SetupFailed(SetupFailure { step, message }) => {
                let message = clip_text(message);
                Frame::new(Kind::SetupFailed, body(&SetupFailure { step, message }))
            }
            Self::Results(run) => run.into_frame(Kind::Results),
            Self::Notice(Notice::Context { step, message }) => {
                let message = clip_text(message);
                Frame::new(Kind::Notice, body(&Notice::Context { step, message }))
            }
            Self::Notice(notice @ (Notice::ContextOpened | Notice::ContextClosed)) => {
                Frame::new(Kind::Notice, body(&notice))
            }
            Self::Exit(ExitReport::Failed(message)) => {
                let message = clip_text(message);
                Frame::new(Kind::Exit, body(&ExitReport::Failed(message)))
            }
            Self::Exit(report) => Frame::new(Kind::Exit, body(&report)),
            Self::Rested => Frame::new(Kind::Rested, Bytes::new()),
            // Its texts were clipped, and their sum bounded, when it was put together.
            Self::Notice(notice @ (Notice::Trace { .. } | Notice::Slowest(_))) => {
                Frame::new(Kind::Notice, body(&notice))
            }
            Self::Bye => Frame::new(Kind::Bye, Bytes::new()),
        }
    }

    /// The message in a frame. The records of [`Results`](Self::Results) are counted and measured,
    /// but not decoded.
    ///
    /// # Errors
    /// [`DecodeError`]: the frame is not a message from a worker.
    pub fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Hello => Self::Hello(decode_strict(&frame.into_body())?),
            Kind::Beat => Self::Beat(decode_strict(&frame.into_body())?),
            Kind::Ready => empty(frame, Self::Ready)?,
            Kind::SetupFailed => Self::SetupFailed(decode_strict(&frame.into_body())?),
            Kind::Results => Self::Results(Segment::from_body(frame.into_body())?),
            Kind::Exit => Self::Exit(decode_strict(&frame.into_body())?),
            Kind::Rested => empty(frame, Self::Rested)?,
            Kind::Notice => Self::Notice(Notice::from_body(&frame.into_body())?),
            Kind::Bye => empty(frame, Self::Bye)?,
            kind @ (Kind::Welcome
            | Kind::Refused
            | Kind::Setup
            | Kind::Patience
            | Kind::Rest
            | Kind::Hive
            | Kind::BeeSetup
            | Kind::Items) => {
                return Err(DecodeError::WrongDirection(kind));
            }
        })
    }
}
