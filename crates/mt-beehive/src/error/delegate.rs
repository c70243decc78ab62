//! Why a delegated task has no value.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{cancel_reason::CancelReason, crossing::CrossingError, exception::Exception};

/// Why a delegated task has no value. Other tasks are not affected, and neither is the hive.
///
/// `E` is the type of the error that the task returns, if that can cross, and otherwise [`Exception`], its text.
/// Where `E` can cross so can this: a worker bee's task may return the error of what it has delegated itself, and
/// the queen gets it typed.
///
/// Shown as text it is one line, and a dead process's last words in the lines after that. The text of a returned
/// error is in it, so that it is no [`source`](std::error::Error::source) besides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "TaskError")]
#[doc(alias = "raised")]
#[doc(alias = "cancelled")]
pub enum DelegateError<E = Exception> {
    /// The task returned this error.
    #[error("raised: {0}")]
    Raised(E),
    /// The task panicked. The worker bee goes on.
    #[error("panicked: {0}")]
    Panicked(Exception),
    /// The task was cancelled.
    #[error("cancelled: {0}")]
    Cancelled(CancelReason),
    /// The worker bees have no task of that name. Nothing was called.
    #[error("{bee} has no task named `{name}`; its tasks are: {}", tasks.join(", "))]
    NoSuchTask {
        /// The type of the bees, by its path.
        bee: String,
        /// The name that was given.
        name: String,
        /// The names of the tasks there are.
        tasks: Vec<String>,
    },
    /// The worker bee's own hive could not be started. The task was not called.
    #[error("the task was not called: {message}")]
    NoHive {
        /// Why.
        message: String,
    },
    /// Something of the task did not cross: it does not serialise, is too long, or is not what the other side
    /// expected.
    #[error("{0}")]
    Crossing(CrossingError),
}

impl<E> DelegateError<E> {
    /// The same with `change` made to the error that the task returned: to give several tasks one type of errors.
    ///
    /// ```
    /// use mt_beehive::{DelegateError, Exception};
    ///
    /// enum MyError { Fetch(Exception) }
    ///
    /// fn mine(fetched: Result<u8, DelegateError>) -> Result<u8, DelegateError<MyError>> {
    ///     fetched.map_err(|error| error.map_raised(MyError::Fetch))
    /// }
    /// ```
    pub fn map_raised<F>(self, change: impl FnOnce(E) -> F) -> DelegateError<F> {
        match self {
            Self::Raised(error) => DelegateError::Raised(change(error)),
            Self::Panicked(panic) => DelegateError::Panicked(panic),
            Self::Cancelled(reason) => DelegateError::Cancelled(reason),
            Self::NoSuchTask { bee, name, tasks } => DelegateError::NoSuchTask { bee, name, tasks },
            Self::NoHive { message } => DelegateError::NoHive { message },
            Self::Crossing(error) => DelegateError::Crossing(error),
        }
    }
}

impl<E: fmt::Display> From<DelegateError<E>> for String {
    fn from(error: DelegateError<E>) -> Self {
        error.to_string()
    }
}
