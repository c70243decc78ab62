//! What went wrong with which object, and whether to try again.

use std::{error::Error, fmt, io};

use thiserror::Error;

use crate::retry::{FailureClass, RetryError};

/// What was asked of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An address was read.
    Parse,
    /// Objects were listed.
    List,
    /// An object was looked at, without its body.
    Info,
    /// An object was got.
    Get,
    /// An object was put.
    Put,
    /// An object was deleted.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "read the address",
            Self::List => "list",
            Self::Info => "look at",
            Self::Get => "get",
            Self::Put => "put",
            Self::Delete => "delete",
        })
    }
}

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The text is no address of an object, or the key is one that can't be used.
    BadAddress,
    /// The store is not set up for it: no feature, no profile, no credentials.
    NotConfigured,
    /// There is no object of that address.
    NotFound,
    /// There is no such bucket.
    NoSuchBucket,
    /// What was asked for only if the object is not there, or is as it was, is not done.
    Precondition,
    /// The credentials are wrong, or do not allow it.
    AccessDenied,
    /// The clocks of this machine and of the server differ by too much.
    ClockSkew,
    /// The server asked for fewer requests, up to the end of the retries.
    Throttled,
    /// The server failed, or said something else.
    Server,
    /// There was no connection, it broke, or nothing came for too long.
    Connection,
    /// The object was replaced while it was read.
    Changed,
    /// A file of this machine could not be read or written.
    File,
    /// Another one writes the same file at this time, in this process or another. Nothing was asked of the server.
    Busy,
}

/// What went wrong with which object. Holds no credentials, nor what the server has written beside its code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to {operation} {url}: {problem}{}", Told(.status, .code))]
#[non_exhaustive]
pub struct StoreError {
    /// What was asked.
    pub operation: Operation,
    /// The object's address, or the file's.
    pub url: String,
    /// What kind of error it is.
    pub kind: StoreErrorKind,
    /// The server's status, if it was the server that refused.
    pub status: Option<u16>,
    /// The server's code, such as `SlowDown`.
    pub code: Option<String>,
    /// What happened, for people.
    pub problem: String,
    /// How the last attempt failed.
    pub class: FailureClass,
}

/// Status and code, as far as they are known.
struct Told<'a>(&'a Option<u16>, &'a Option<String>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})"),
            (Some(status), None) => write!(f, " ({status})"),
            (None, Some(code)) => write!(f, " ({code})"),
            (None, None) => Ok(()),
        }
    }
}

impl StoreError {
    pub(crate) fn new(
        operation: Operation,
        url: impl Into<String>,
        kind: StoreErrorKind,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            url: url.into(),
            kind,
            status: None,
            code: None,
            problem: problem.into(),
            class: FailureClass::Permanent,
        }
    }

    pub(super) fn of_class(mut self, class: FailureClass) -> Self {
        self.class = class;
        self
    }

    /// Whether the same again may succeed. It has been tried as often as the policy says by then.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        self.class != FailureClass::Permanent
    }

    /// Whether the server may have done what it was asked for all the same: look before you ask again.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.operation, Operation::Put | Operation::Delete) && self.class.is_ambiguous()
    }

    /// An error of the library below.
    pub(super) fn of(operation: Operation, url: &str, error: &object_store::Error) -> Self {
        #[cfg(feature = "s3")]
        if let Some(told) = crate::s3::told(error) {
            return Self::of_request(operation, url, told);
        }
        let (kind, problem) = match error {
            object_store::Error::NotFound { .. } => {
                (StoreErrorKind::NotFound, "it is not there".to_owned())
            }
            object_store::Error::AlreadyExists { .. } => (
                StoreErrorKind::Precondition,
                "it is there already".to_owned(),
            ),
            object_store::Error::Precondition { .. } => (
                StoreErrorKind::Precondition,
                "it is not as it was".to_owned(),
            ),
            object_store::Error::PermissionDenied { .. } => (
                StoreErrorKind::AccessDenied,
                "that is not allowed".to_owned(),
            ),
            object_store::Error::NotSupported { .. }
            | object_store::Error::NotImplemented { .. } => (
                StoreErrorKind::NotConfigured,
                "this store can't do that".to_owned(),
            ),
            other => (StoreErrorKind::Server, innermost(other)),
        };
        Self::new(operation, url, kind, problem)
    }

    /// An error with a file of this machine.
    pub(super) fn of_file(operation: Operation, path: &std::path::Path, error: &io::Error) -> Self {
        let kind = StoreErrorKind::File;
        Self::new(
            operation,
            path.display().to_string(),
            kind,
            error.to_string(),
        )
    }
}

impl RetryError for StoreError {
    fn class(&self) -> FailureClass {
        self.class
    }
}

/// The text of the error that has caused the others; those above it repeat addresses and bodies.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Operation, StoreError, StoreErrorKind};
    use crate::retry::FailureClass;

    #[test]
    fn an_error_says_which_object_which_status_and_whether_again() {
        let mut error = StoreError::new(
            Operation::Get,
            "s3://b/k",
            StoreErrorKind::Throttled,
            "too often",
        );
        error.status = Some(503);
        error.code = Some("SlowDown".to_owned());
        assert!(!error.can_retry());
        error.class = FailureClass::Throttled;
        assert!(error.can_retry() && !error.is_ambiguous());
        assert_eq!(
            error.to_string(),
            "failed to get s3://b/k: too often (503 SlowDown)"
        );
    }
}
