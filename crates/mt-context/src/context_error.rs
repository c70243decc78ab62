//! Why there is no context.

use thiserror::Error;

use crate::out_of_range::OutOfRange;
#[cfg(feature = "s3")]
use crate::s3::ProfileError;

/// Why a context can't be made. Nothing has been sent to a server; no text holds a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The client of HTTP can't be made: the proxy's URL is none, or a root certificate of the config's can't be read.
    #[error("the HTTP client can't be made: {problem}")]
    Client {
        /// Why, for people.
        problem: String,
    },
    /// An option is out of its range.
    #[error(transparent)]
    Option(#[from] OutOfRange),
    /// The profile is not there, or has no keys.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    Profile(#[from] ProfileError),
}
