//! What the main thread of an executor is given.

use std::{rc::Rc, sync::Arc, time::Duration};

use mt_ipc::Progress;
use mt_proto::{Segment, Setup, SetupFailure, SetupStep, clip_text};
use tokio::{runtime::Runtime, sync::mpsc, time::Instant};

use super::outbox::Outbox;
use crate::{Context, Task};

/// Items that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Segment,
    /// Those that are not started by then are not to be started.
    pub(crate) start_by: Option<Instant>,
}

/// What a task's main thread has.
pub(crate) struct Job {
    pub(super) setup: Setup,
    pub(super) inbox: mpsc::Receiver<Batch>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) progress: Progress,
    pub(super) runtime: Runtime,
    pub(super) beat_interval: Duration,
}

/// What an executor's main thread is given to do.
#[derive(Debug)]
pub(super) struct ExecutorWork {
    pub(super) setup: Setup,
    pub(super) inbox: mpsc::Receiver<Batch>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) progress: Progress,
    pub(super) beat_interval: Duration,
}

pub(super) fn failure(step: SetupStep, message: impl ToString) -> SetupFailure {
    SetupFailure {
        step,
        message: clip_text(message.to_string()),
    }
}

/// What all items of a task share in this worker.
pub(super) struct SharedInputs<T: Task> {
    pub(super) shared: Rc<T::Shared>,
    pub(super) config: Rc<<T::Context as Context>::Config>,
}
