//! What becomes of a work.

use crate::{TaskError, TaskErrorKind};

/// What became of one work of [`asyn_work_generator`](crate::asyn_work_generator).
#[derive(Debug)]
pub enum WorkDone<V, E> {
    /// It has returned.
    #[doc(alias = "task_returned")]
    Returned {
        /// The work's number.
        work_id: u64,
        /// What it has returned.
        value: V,
    },
    /// It has no value: it raised an error, panicked, or was lost with its worker.
    #[doc(alias = "task_raised")]
    Raised {
        /// The work's number.
        work_id: u64,
        /// Why. Its index is the work's number.
        error: TaskError<E>,
    },
    /// It was not done, because the run was interrupted or ended by its handle.
    #[doc(alias = "task_cancelled")]
    Cancelled {
        /// The work's number.
        work_id: u64,
    },
}

impl<V, E> WorkDone<V, E> {
    /// The work's number.
    #[must_use]
    pub fn work_id(&self) -> u64 {
        match self {
            Self::Returned { work_id, .. }
            | Self::Raised { work_id, .. }
            | Self::Cancelled { work_id } => *work_id,
        }
    }

    /// The value, or why there is none; a cancelled work is a
    /// [`TaskErrorKind::Cancelled`].
    ///
    /// # Errors
    /// [`TaskError`] when there is no value.
    pub fn into_result(self) -> Result<V, TaskError<E>> {
        match self {
            Self::Returned { value, .. } => Ok(value),
            Self::Raised { error, .. } => Err(error),
            Self::Cancelled { work_id } => Err(TaskError::new(
                mt_proto::ItemIndex(work_id),
                TaskErrorKind::Cancelled,
            )),
        }
    }
}
