//! What works by number tell about themselves.

mod queue;

pub use queue::{ProgressReceiver, ProgressSender, progress_queue};

/// A message about a work or the context it runs in.
///
/// [`run_asyn_works_in_context`](crate::works::run_asyn_works_in_context) tells values (`V`) and errors (`X`)
/// with it. [`asyn_work_generator`](crate::works::asyn_work_generator) yields these itself; its messages
/// carry `()` and the error's text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<V = (), X = String> {
    /// A context was opened. Its works follow.
    #[doc(alias = "context_created")]
    ContextCreated {
        /// The context's number.
        context_id: u32,
    },
    /// A work was given to the context. It may wait there until others have finished.
    #[doc(alias = "task_scheduled")]
    TaskScheduled {
        /// The number of the context it is in.
        context_id: u32,
        /// The work's number.
        work_id: u64,
    },
    /// A work has returned.
    #[doc(alias = "task_returned")]
    TaskReturned {
        /// The number of the context it ran in.
        context_id: u32,
        /// The work's number.
        work_id: u64,
        /// What it has returned.
        value: V,
    },
    /// A work has no value: it raised an error, panicked, or was lost with its worker.
    #[doc(alias = "task_raised")]
    TaskRaised {
        /// The number of the context it ran in; [`None`] if it was in none, because no context or no
        /// worker could be had.
        context_id: Option<u32>,
        /// The work's number.
        work_id: u64,
        /// Why.
        error: X,
    },
    /// A work was not done, because of an interruption.
    #[doc(alias = "task_cancelled")]
    TaskCancelled {
        /// The number of the context it was given to; [`None`] if it was given to none.
        context_id: Option<u32>,
        /// The work's number.
        work_id: u64,
    },
    /// A context could not be opened or closed, or its worker process died.
    #[doc(alias = "context_raised")]
    ContextRaised {
        /// The context's number.
        context_id: u32,
        /// What went wrong.
        error: String,
    },
    /// A context is closed.
    #[doc(alias = "context_destroyed")]
    ContextDestroyed {
        /// The context's number.
        context_id: u32,
    },
}

impl<V, X> Progress<V, X> {
    /// The number of the context that it is about, if it is about one.
    #[must_use]
    pub fn context_id(&self) -> Option<u32> {
        match self {
            Self::ContextCreated { context_id }
            | Self::TaskScheduled { context_id, .. }
            | Self::TaskReturned { context_id, .. }
            | Self::ContextRaised { context_id, .. }
            | Self::ContextDestroyed { context_id } => Some(*context_id),
            Self::TaskRaised { context_id, .. } | Self::TaskCancelled { context_id, .. } => {
                *context_id
            }
        }
    }

    /// The number of the work that it is about, if it is about one.
    #[must_use]
    pub fn work_id(&self) -> Option<u64> {
        match self {
            Self::TaskScheduled { work_id, .. }
            | Self::TaskReturned { work_id, .. }
            | Self::TaskRaised { work_id, .. }
            | Self::TaskCancelled { work_id, .. } => Some(*work_id),
            Self::ContextCreated { .. }
            | Self::ContextRaised { .. }
            | Self::ContextDestroyed { .. } => None,
        }
    }
}
