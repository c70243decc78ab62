//! What the main thread of an executor is given, and what it does with an item before it calls the task.

use std::{mem, rc::Rc, sync::Arc, time::Duration};

use mt_ipc::Progress;
use mt_proto::{
    Attachments, Deadline, DecodeError, Failure, ItemIndex, Preparation, PreparedId, Segment,
    Setup, SetupFailure, SetupStep, clip_text, decode_item_attached,
};
use tokio::{sync::mpsc, time::Instant};

use super::{gate::Gate, outbox::Outbox, unbegun::Unbegun};
use crate::{
    Context, Task,
    worker::{Lead, Panic, drop_caught},
};

/// Items that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) items: Segment,
    /// Items that are not started by then are not to be started.
    pub(crate) start_by: Option<Instant>,
    /// What changes before them, where they are calls.
    pub(crate) changes: Vec<TargetChange>,
}

/// What changes between two calls.
#[derive(Debug)]
pub(crate) enum TargetChange {
    Prepare(Preparation, Attachments),
    Forget(PreparedId),
}

/// The most that may change before a call. A worker is told of one prepared task then, and to forget no more than the 16 that
/// it keeps.
const MAX_CHANGES: usize = 64;

/// What changes before the next call, as far as the parent has told.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<TargetChange>);

impl Changes {
    /// The error says why the parent is not to be trusted.
    pub(super) fn push(&mut self, change: TargetChange) -> Result<(), String> {
        if self.0.len() == MAX_CHANGES {
            return Err("the parent tells of more prepared tasks than a call can need".into());
        }
        self.0.push(change);
        Ok(())
    }

    pub(super) fn take(&mut self) -> Vec<TargetChange> {
        mem::take(&mut self.0)
    }
}

/// What an executor's main thread is given to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) setup: Setup,
    /// What came beside the setup's bytes.
    pub(super) attachments: Attachments,
    pub(super) inbox: mpsc::Receiver<Batch>,
    /// Calls that were begun, and that nobody waits for any more.
    pub(super) withdrawn: mpsc::Receiver<ItemIndex>,
    pub(super) unbegun: Arc<Unbegun>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) progress: Progress,
    pub(super) gate: Gate,
    pub(super) lead: Arc<Lead>,
    pub(super) beat_interval: Duration,
}

/// Why an item has no result. Of two words: it is moved about for each item, and hardly ever there.
#[derive(Debug)]
pub(super) enum NoResult {
    Failure(Box<Failure>),
    /// The names of its call stack are still to be found, which is no part of the call.
    Panic(Panic),
}

impl From<Failure> for NoResult {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<Panic> for NoResult {
    fn from(panic: Panic) -> Self {
        Self::Panic(panic)
    }
}

impl<T: Task> SharedInputs<T> {
    /// Lets go of what was decoded for all, each by itself: their drops are user code.
    pub(super) fn drop(self) {
        drop_caught("the shared value", self.shared);
        drop_caught("the context's config", self.config);
    }
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
pub(super) fn decode<T: Task>(
    value: &[u8],
    attachments: &Attachments,
) -> Result<T::Input, NoResult> {
    decode_item_attached(value, attachments).map_err(undecodable)
}

#[cold]
fn undecodable(error: DecodeError) -> NoResult {
    let message = clip_text(error.to_string());
    Failure::Undecodable { message }.into()
}

/// The outcome of an item that has waited for too long, if it has.
#[inline]
pub(super) fn expired(start_by: Option<Instant>, limit: Option<Duration>) -> Option<NoResult> {
    (start_by? <= Instant::now()).then(|| {
        let limit = limit.unwrap_or_default();
        let deadline = Deadline::Queue;
        Failure::TimedOut { deadline, limit }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_bounded_between_two_calls() {
        let mut changes = Changes::default();
        let mut forget = |id| changes.push(TargetChange::Forget(PreparedId(id)));
        let full = (0..).find(|id| forget(*id).is_err());
        assert_eq!(full, Some(MAX_CHANGES as u64));
        assert_eq!(changes.take().len(), MAX_CHANGES);
        assert!(changes.push(TargetChange::Forget(PreparedId(0))).is_ok());
    }
}
