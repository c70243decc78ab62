//! Why a run of a hive came to nothing.

use mt_pool::StartError;

use super::{crossing::Part, exception::Exception};

/// Why a run of a hive came to nothing. How a single delegated task ended is a
/// [`DelegateError`](crate::DelegateError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeehiveError {
    /// The hive was not started, and no process was: an option is out of its range, what worker bees are made of
    /// does not serialise (`StartError::Value`), or this program can't start worker bees.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A worker bee was asked for a hive of its own and has none, or one of other bees; or that is over.
    #[error("the worker bee has no such hive of its own: {0}")]
    NoHive(String),
    /// The queen's `new` returned an error. No process was started.
    #[error("the queen bee can't be made: {0}")]
    NotMade(String),
    /// The queen has no task of that name. Nothing was called.
    #[error("{queen} has no task named `{name}`; its tasks are: {}", tasks.join(", "))]
    NoSuchTask {
        /// The queen's type, by its path.
        queen: &'static str,
        /// The name that was given.
        name: String,
        /// The names of the queen's tasks.
        tasks: &'static [&'static str],
    },
    /// The queen's task returned an error.
    #[error(transparent)]
    Raised(Exception),
    /// The queen's task was asked for by name, and takes or returns something of another type. If the part is its
    /// arguments, nothing was called.
    #[error("{part} of the queen's task `{name}`: a {given} was given, and a {expected} expected")]
    WrongType {
        /// The task.
        name: String,
        /// The arguments, or the value.
        part: Part,
        /// The type that was given.
        given: &'static str,
        /// The type that was expected.
        expected: &'static str,
    },
    /// The queen's task was cancelled by [`Queen::cancel`](crate::Queen::cancel) (the seed's `RuntimeError`).
    #[error("the queen's task was cancelled: {reason}")]
    Cancelled {
        /// What `cancel` was told.
        reason: String,
    },
}
