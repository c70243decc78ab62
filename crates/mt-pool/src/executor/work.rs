//! What the main thread of an executor is given, and what it does with an item before it calls the task.

use std::{rc::Rc, sync::Arc, time::Duration};

use mt_ipc::Progress;
use mt_proto::{
    Deadline, DecodeError, Failure, Segment, Setup, SetupFailure, SetupStep, clip_text,
    decode_strict,
};
use tokio::{sync::mpsc, time::Instant};

use super::outbox::Outbox;
use crate::{Context, Task};

/// Items that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Segment,
    /// Items that are not started by then are not to be started.
    pub(crate) start_by: Option<Instant>,
}

/// What an executor's main thread is given to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) setup: Setup,
    pub(super) inbox: mpsc::Receiver<Batch>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) progress: Progress,
    pub(super) beat_interval: Duration,
}

/// What all items of a task share in this worker.
pub(super) struct SharedInputs<T: Task> {
    pub(super) shared: Rc<T::Shared>,
    pub(super) config: Rc<<T::Context as Context>::Config>,
}

pub(super) fn failure(step: SetupStep, message: impl ToString) -> SetupFailure {
    SetupFailure {
        step,
        message: clip_text(message.to_string()),
    }
}

#[inline]
pub(super) fn decode<T: Task>(value: &[u8]) -> Result<T::Input, Failure> {
    decode_strict(value).map_err(|error: DecodeError| Failure::Undecodable {
        message: clip_text(error.to_string()),
    })
}

/// The outcome of an item that has waited for too long, if it has.
#[inline]
pub(super) fn expired(start_by: Option<Instant>, limit: Option<Duration>) -> Option<Failure> {
    (start_by? <= Instant::now()).then_some(Failure::TimedOut {
        deadline: Deadline::Queue,
        limit: limit.unwrap_or_default(),
    })
}
