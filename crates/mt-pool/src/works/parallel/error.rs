//! Why there is no outcome to pop, or no value to yield.

use std::{error::Error, fmt, time::Duration};

use crate::TaskError;

/// Why [`ProcessParalleliser::pop`](crate::ProcessParalleliser::pop) has no outcome. No work was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PopError {
    /// None came in time (the seed's `queue.Empty`). Works that run go on: try again.
    #[error("no outcome came in time")]
    Empty,
    /// It is closed and every outcome was popped. None will come.
    #[error("the paralleliser is closed and every outcome was popped")]
    Closed,
}

/// Why a [`WorkIterator`](crate::WorkIterator) has no value to yield this time. It goes on.
pub enum WorkError<E> {
    /// This work has no value.
    Task(TaskError<E>),
    /// None came in time. Nothing is lost: the next call goes on waiting.
    Stalled {
        /// The option that says how long: `pop_timeout` or `push_timeout`.
        option: &'static str,
        /// How long it is.
        waited: Duration,
    },
}

impl<E> WorkError<E> {
    /// The work without a value; `None` when no work is to blame.
    #[must_use]
    pub fn work_id(&self) -> Option<u64> {
        self.task().map(TaskError::index)
    }

    /// Why the work has no value; `None` when no work is to blame.
    #[must_use]
    pub fn task(&self) -> Option<&TaskError<E>> {
        match self {
            Self::Task(error) => Some(error),
            Self::Stalled { .. } => None,
        }
    }
}

impl<E> From<TaskError<E>> for WorkError<E> {
    fn from(error: TaskError<E>) -> Self {
        Self::Task(error)
    }
}

impl<E: fmt::Debug> fmt::Debug for WorkError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(error) => f.debug_tuple("Task").field(error).finish(),
            Self::Stalled { option, waited } => f
                .debug_struct("Stalled")
                .field("option", option)
                .field("waited", waited)
                .finish(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for WorkError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(error) => error.fmt(f),
            Self::Stalled { option, waited } => write!(
                f,
                "no work was done within the {option} of {:.1} s; none is lost, and the next call waits again",
                waited.as_secs_f64()
            ),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for WorkError<E> {}
