//! Why a delegated task has no value.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::{cancel_reason::CancelReason, crossing::CrossingError, exception::Exception};

/// Why a delegated task has no value. Other tasks are not affected, and neither is the hive.
///
/// `E` is the type of the error that the task returns, if that can cross, and otherwise [`Exception`], its text.
/// Where `E` can cross so can this: a worker bee's task may return the error of what it has delegated itself, and
/// the queen gets it typed.
///
/// Shown as text it is one line, and a dead process's last words in the lines after that. The text of a returned
/// error is in it, so that it is no [`source`](Error::source) besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[doc(alias = "TaskError")]
#[doc(alias = "raised")]
#[doc(alias = "cancelled")]
pub enum DelegateError<E = Exception> {
    /// The task returned this error.
    Raised(E),
    /// The task panicked. The worker bee goes on.
    Panicked(Exception),
    /// The task was cancelled.
    Cancelled(CancelReason),
    /// The worker bees have no task of that name. Nothing was called.
    NoSuchTask {
        /// The type of the bees, by its path.
        bee: String,
        /// The name that was given.
        name: String,
        /// The names of the tasks there are.
        tasks: Vec<String>,
    },
    /// The worker bee's own hive could not be started. The task was not called.
    NoHive {
        /// Why.
        message: String,
    },
    /// Something of the task did not cross: it does not serialise, is too long, or is not what the other side
    /// expected.
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

impl<E: fmt::Display> fmt::Display for DelegateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised(error) => {
                f.write_str("raised: ")?;
                error.fmt(f)
            }
            Self::Panicked(panic) => write!(f, "panicked: {panic}"),
            Self::Cancelled(reason) => write!(f, "cancelled: {reason}"),
            Self::NoSuchTask { bee, name, tasks } => {
                let known = tasks.join(", ");
                write!(
                    f,
                    "{bee} has no task named `{name}`; its tasks are: {known}"
                )
            }
            Self::NoHive { message } => write!(f, "the task was not called: {message}"),
            Self::Crossing(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for DelegateError<E> {}

impl<E: fmt::Display> From<DelegateError<E>> for String {
    fn from(error: DelegateError<E>) -> Self {
        error.to_string()
    }
}
