//! Why a run of a hive came to nothing.

use mt_pool::StartError;
use mt_proto::EncodeError;

use super::delegate::Exception;

/// Why a run of a hive came to nothing. With the first three no process was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeehiveError {
    /// This program can't start worker bees.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What worker bees are made of can't be sent.
    #[error("what worker bees are made of can't be sent: {0}")]
    Init(#[source] EncodeError),
    /// A worker bee was asked for a hive of her own and has none, or one of other bees; or it could not be
    /// started, or she is dying.
    #[error("the bee has no such hive of her own: {0}")]
    NoHive(String),
    /// Her `new` returned an error.
    #[error("the queen bee can't be made: {0}")]
    NotMade(String),
    /// The queen has no task of that name. Nothing was called.
    #[error("{queen} has no task named `{name}`; her tasks are: {}", tasks.join(", "))]
    NoSuchTask {
        /// Her name.
        queen: &'static str,
        /// The name that was given.
        name: String,
        /// The names of her tasks.
        tasks: &'static [&'static str],
    },
    /// The queen's task returned an error, or was given what it does not take.
    #[error(transparent)]
    Raised(Exception),
    /// The queen's task was cancelled by [`Queen::cancel`](crate::Queen::cancel) (the seed's `RuntimeError`).
    #[error("the queen's task was cancelled: {reason}")]
    Cancelled {
        /// What `cancel` was told.
        reason: String,
    },
}
