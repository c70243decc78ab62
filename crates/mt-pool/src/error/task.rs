//! Why one item has no value.

use std::{error::Error, fmt};

use bytes::Bytes;
use mt_proto::{CapturedStdout, DecodeError, EncodedValue, ItemIndex, ItemType, guarded};

use super::TaskErrorKind;
use crate::Wire;

/// The outcome of an item that has no value. The other items are not affected.
pub struct TaskError<E> {
    inner: Box<Details<E>>,
}

struct Details<E> {
    index: ItemIndex,
    kind: TaskErrorKind<E>,
    attempts: u32,
    payload: Option<(EncodedValue, ItemType)>,
    stdout: CapturedStdout,
}

impl<E> TaskError<E> {
    pub(crate) fn new(index: ItemIndex, kind: TaskErrorKind<E>) -> Self {
        Self {
            inner: Box::new(Details {
                index,
                kind,
                attempts: 1,
                payload: None,
                stdout: CapturedStdout::default(),
            }),
        }
    }

    /// The same about another index, for those who number items in their own way.
    pub(crate) fn with_index(mut self, index: ItemIndex) -> Self {
        self.inner.index = index;
        self
    }

    /// What it displays, with the function's own error as this text: its type may have none.
    pub(crate) fn describe(&self, raised: impl FnOnce(&E) -> String) -> String {
        let kind = self.inner.kind.map(raised);
        format!("item {}: {kind}", self.inner.index)
    }

    /// The same of an item that was tried so often; the item itself, encoded, if it is known.
    pub(crate) fn with_history(
        mut self,
        attempts: u32,
        payload: Option<(EncodedValue, ItemType)>,
    ) -> Self {
        self.inner.attempts = attempts;
        self.inner.payload = payload;
        self
    }

    /// The same with what its call has printed.
    pub(crate) fn with_stdout(mut self, stdout: CapturedStdout) -> Self {
        self.inner.stdout = stdout;
        self
    }

    /// What the item has written to its worker's standard output until it failed, or its worker died: of the last try, if
    /// there were several. Empty unless it is [captured](crate::WorkerStdout::Capture).
    #[must_use]
    pub fn stdout(&self) -> &CapturedStdout {
        &self.inner.stdout
    }

    /// The item's position in the input, counted from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.inner.index.0
    }

    /// Why it has no value.
    #[must_use]
    pub fn kind(&self) -> &TaskErrorKind<E> {
        &self.inner.kind
    }

    /// Why it has no value, owned.
    #[must_use]
    pub fn into_kind(self) -> TaskErrorKind<E> {
        self.inner.kind
    }

    /// Whether it is no failure: the run was drained, interrupted or cancelled before the item was done
    /// ([`Cancelled`](TaskErrorKind::Cancelled)), and nothing is known against it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.inner.kind, TaskErrorKind::Cancelled)
    }

    /// How often the item was tried: 1, and 1 more for each error that was tried again and for each worker
    /// that died, or was killed for its memory, while the item ran in it. Of an item that was never given to
    /// a worker, or of which that is not known, it is 0.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// The item as it was sent: if no worker had an outcome for it ([`Crashed`](TaskErrorKind::Crashed),
    /// [`OutcomeLost`](TaskErrorKind::OutcomeLost), [`TimedOut`](TaskErrorKind::TimedOut) by its hard deadline,
    /// [`MemoryExceeded`](TaskErrorKind::MemoryExceeded), [`Cancelled`](TaskErrorKind::Cancelled),
    /// [`Pool`](TaskErrorKind::Pool)), and of every kind with [`keep_items`](crate::AsynPmap::keep_items), unless it could
    /// not be sent.
    #[must_use]
    pub fn payload(&self) -> Option<&Bytes> {
        self.sent().map(|(payload, _)| &payload.bytes)
    }

    /// The same, and what it is.
    pub(crate) fn sent(&self) -> Option<&(EncodedValue, ItemType)> {
        self.inner.payload.as_ref()
    }

    /// The item itself, decoded from [`payload`](Self::payload); `None` without one.
    ///
    /// # Errors
    /// [`DecodeError`] when the item is not an `I`: a number of another width is none.
    pub fn item<I: Wire>(&self) -> Option<Result<I, DecodeError>> {
        let (payload, sent) = self.sent()?;
        let decoded = guarded(|| sent.decode(payload));
        Some(decoded.map_err(DecodeError::from).flatten())
    }
}

impl<E: fmt::Debug> fmt::Debug for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskError")
            .field("index", &self.inner.index.0)
            .field("kind", &self.inner.kind)
            .finish_non_exhaustive()
    }
}

impl<E: fmt::Display> fmt::Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}: {}", self.inner.index, self.inner.kind)
    }
}

/// What it displays is all there is to say: the text of what the function returned is in it, and not in a
/// `source` once more. The value itself is in the [`kind`](TaskError::kind).
impl<E: fmt::Debug + fmt::Display> Error for TaskError<E> {}
