//! What a pool and the executors of its tasks say to each other.

use std::{fmt, mem, time::Duration};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};

use crate::{
    Attachments, ContextStep, DecodeError, Frame, ItemIndex, Kind, PreparedId, Segment, clip_text,
    message::{decoded, frame},
};

/// What a pool says to an executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToExecutor {
    /// Of the items that come next, those that are not started within this time are not to be started.
    Patience(Duration),
    /// Work on these.
    Items(Segment),
    /// Nobody waits for this item any more: it need not be started, and where a call of an `async fn` goes on for it, that
    /// is dropped. Its outcome is told all the same.
    Withdraw(ItemIndex),
    /// Calls that come from now on may be of this; with what its bytes name.
    Prepare(Preparation, Attachments),
    /// No call that comes from now on is of this one, so that it need not be kept.
    Forget(PreparedId),
}

/// A task with what all calls share that name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// What these calls name it by.
    pub id: PreparedId,
    /// The number of the task.
    pub task: u32,
    /// The shared value, encoded.
    pub shared: Bytes,
    /// The config of the context, encoded.
    pub context: Bytes,
}

/// What an executor says to its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromExecutor {
    /// What became of these items.
    Results(Segment),
    /// Something the user may want to know that belongs to no item.
    Notice(Notice),
    /// What the exit hook returned.
    Exit(ExitReport),
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
    /// How long an item may wait to be started, in all; [`ToExecutor::Patience`] says what is left of it.
    pub queue_deadline: Option<Duration>,
    /// How long a call may take before it is cancelled.
    pub soft_deadline: Option<Duration>,
    /// How long opening or closing a context may take.
    pub context_deadline: Option<Duration>,
    /// What every item's random numbers are made from, together with its index.
    pub seed: u64,
    /// Whether to say when contexts are opened and closed; that they fail to close is said anyway.
    pub tell_contexts: bool,
}

/// What became of the exit hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitReport {
    /// The hook returned this, encoded.
    Returned(Bytes),
    /// The hook returned an error, or panicked.
    Failed(String),
}

/// A task that is called once in a worker: the seed's `init_func` with its arguments, or the exit hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitCall {
    /// The registered name of the task to call.
    pub task: String,
    /// The task's input, encoded.
    pub input: Bytes,
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
    /// The items that took longest, in no particular order. Said before
    /// [`Rested`](crate::FromWorker::Rested); otherwise they are read from the shared memory.
    Slowest(#[serde(deserialize_with = "few_items")] Vec<(ItemIndex, Duration)>),
}

/// The most items of [`Notice::Slowest`]. A worker has memory for fewer.
const MAX_SLOWEST: usize = 64;

/// Reads the items one by one, without room for more of them than there may be.
fn few_items<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(ItemIndex, Duration)>, D::Error> {
    struct Few;
    impl<'de> Visitor<'de> for Few {
        type Value = Vec<(ItemIndex, Duration)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_SLOWEST} items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                if items.len() == MAX_SLOWEST {
                    return Err(A::Error::invalid_length(MAX_SLOWEST + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }
    deserializer.deserialize_seq(Few)
}

impl ToExecutor {
    /// The message as a frame. Items share their bytes with it.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Patience(time) => frame(Kind::Patience, &time),
            Self::Items(segment) => segment.into_frame(Kind::Items),
            Self::Withdraw(index) => frame(Kind::Withdraw, &index),
            Self::Prepare(preparation, attachments) => {
                frame(Kind::Prepare, &preparation).with_attachments(attachments)
            }
            Self::Forget(id) => frame(Kind::Forget, &id),
        }
    }

    /// The message in a frame.
    ///
    /// # Errors
    /// [`DecodeError`]: the frame is not a message for an executor.
    pub fn from_frame(mut frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Patience => Self::Patience(decoded(frame)?),
            Kind::Items => Self::Items(Segment::from_frame(frame)?),
            Kind::Withdraw => Self::Withdraw(decoded(frame)?),
            Kind::Prepare => {
                let attachments = mem::take(&mut frame.attachments);
                Self::Prepare(decoded(frame)?, attachments)
            }
            Kind::Forget => Self::Forget(decoded(frame)?),
            kind => return Err(DecodeError::WrongDirection(kind)),
        })
    }
}

impl FromExecutor {
    /// The message as a frame. Texts are clipped to [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Results(segment) => segment.into_frame(Kind::Results),
            Self::Notice(mut notice) => {
                if let Notice::Context { message, .. } = &mut notice {
                    *message = clip_text(mem::take(message));
                }
                frame(Kind::Notice, &notice)
            }
            Self::Exit(ExitReport::Failed(message)) => {
                frame(Kind::Exit, &ExitReport::Failed(clip_text(message)))
            }
            Self::Exit(report) => frame(Kind::Exit, &report),
        }
    }

    /// The message in a frame. The records of [`Results`](Self::Results) are counted and measured,
    /// but not decoded.
    ///
    /// # Errors
    /// [`DecodeError`]: the frame is not a message from an executor.
    pub fn from_frame(frame: Frame) -> Result<Self, DecodeError> {
        Ok(match frame.kind {
            Kind::Results => Self::Results(Segment::from_frame(frame)?),
            Kind::Exit => Self::Exit(decoded(frame)?),
            Kind::Notice => Self::Notice(decoded(frame)?),
            kind => return Err(DecodeError::WrongDirection(kind)),
        })
    }
}
