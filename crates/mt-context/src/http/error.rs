//! What may go wrong with a request.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::retry::{FailureClass, GiveUpReason, RetryError};

/// What went wrong with a request, where, and after how many attempts. Crosses as a task's error.
///
/// No text of it has a URL's query, its user or password, a header's value, or anything of what the server sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpError(Box<ErrorParts>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ErrorParts {
    kind: HttpErrorKind,
    url: String,
    attempts: u32,
    gave_up: Option<GiveUpReason>,
    retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The address is none of HTTP. Nothing was sent.
    #[error("the address is none: {problem}")]
    Address {
        /// What is wrong with it.
        problem: String,
    },
    /// A header's name or value is none of HTTP. Nothing was sent.
    #[error("the header `{name}` has a name or a value that is none")]
    Header {
        /// The name.
        name: String,
    },
    /// No connection was made: no such host, nobody listens, it took too long, the proxy refused. The server has not seen
    /// the request.
    #[error("no connection: {detail}")]
    Connect {
        /// What the system says.
        detail: String,
    },
    /// The server's certificate is not trusted. It has not seen the request.
    #[error("the server is not trusted: {detail}")]
    Untrusted {
        /// Why not.
        detail: String,
    },
    /// Nothing came for as long as [`read_timeout`](super::HttpConfig::read_timeout).
    #[error("nothing came for too long")]
    Timeout,
    /// The connection broke before the answer's last byte.
    #[error("cut after {received_bytes} bytes of the body: {detail}")]
    Cut {
        /// How much of the body had come.
        received_bytes: u64,
        /// What the connection says.
        detail: String,
    },
    /// A status that is no success.
    #[error("status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// More redirects than [`redirects`](super::HttpConfig::redirects): a loop, mostly.
    #[error("more than {limit} redirects")]
    Redirects {
        /// The most there may be.
        limit: u32,
    },
    /// The body has another length than was said.
    #[error("a body of {received_bytes} bytes that was to have {expected_bytes}")]
    Length {
        /// What was said.
        expected_bytes: u64,
        /// What came.
        received_bytes: u64,
    },
    /// The body, decompressed, is larger than its limit. No more than that was taken.
    #[error("a body of more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The body is compressed in a way that was not asked for, or what is compressed is broken.
    #[error("a body that can't be decompressed: {problem}")]
    Encoding {
        /// What is wrong.
        problem: String,
    },
    /// The body broke off, and what there is now does not begin as it did. To get all of it anew can help.
    #[error("it has changed after {received_bytes} bytes had come")]
    Changed {
        /// How much had come of what it was.
        received_bytes: u64,
    },
    /// The body is empty, and [`refuse_empty`](super::HttpRequest::refuse_empty) does.
    #[error("an empty body")]
    Empty,
    /// The policy's time is over, in the middle of an attempt.
    #[error("it takes longer than {total:?}")]
    Total {
        /// The time.
        total: Duration,
    },
    /// The file can't be written. Nothing stands under its name that did not before.
    #[error("the file {path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// Another download to the same file is running, in this process or another. Nothing was sent.
    #[error("the file {path} is being downloaded already")]
    Busy {
        /// The file.
        path: String,
    },
}

impl HttpError {
    pub(super) fn new(url: &str, kind: HttpErrorKind) -> Self {
        let url = url.to_owned();
        let (attempts, gave_up, retry_after) = (1, None, None);
        Self(Box::new(ErrorParts {
            kind,
            url,
            attempts,
            gave_up,
            retry_after,
        }))
    }

    pub(super) fn file(url: &str, path: &Path, problem: impl ToString) -> Self {
        let path = path.display().to_string();
        let problem = problem.to_string();
        Self::new(url, HttpErrorKind::File { path, problem })
    }

    pub(super) fn asking(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(super) fn final_after(mut self, attempts: u32, reason: GiveUpReason) -> Self {
        self.0.attempts = attempts;
        self.0.gave_up = Some(reason);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &HttpErrorKind {
        &self.0.kind
    }

    /// Where: the URL without its query, user, password and fragment.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The status, if the server answered with one that is no success.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.0.kind {
            HttpErrorKind::Status { status } => Some(status),
            _ => None,
        }
    }

    /// Whether the server knows what was asked for and refuses it: 401 or 403.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
    }

    /// How many attempts there were.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Why there was no other attempt; `None` if none is made after such an error.
    #[must_use]
    pub fn gave_up(&self) -> Option<GiveUpReason> {
        self.0.gave_up
    }

    /// Whether the same request can succeed later.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        self.class() != FailureClass::Permanent
    }
}

impl RetryError for HttpError {
    fn class(&self) -> FailureClass {
        match &self.0.kind {
            // A download that is refused has not been asked for either.
            HttpErrorKind::Connect { .. } | HttpErrorKind::Busy { .. } => FailureClass::Connect,
            HttpErrorKind::Timeout | HttpErrorKind::Total { .. } => FailureClass::Timeout,
            HttpErrorKind::Cut { .. }
            | HttpErrorKind::Length { .. }
            | HttpErrorKind::Changed { .. } => FailureClass::Cut,
            HttpErrorKind::Status { status } => FailureClass::of_status(*status),
            HttpErrorKind::Address { .. }
            | HttpErrorKind::Header { .. }
            | HttpErrorKind::Untrusted { .. }
            | HttpErrorKind::Redirects { .. }
            | HttpErrorKind::TooLarge { .. }
            | HttpErrorKind::Encoding { .. }
            | HttpErrorKind::Empty
            | HttpErrorKind::File { .. } => FailureClass::Permanent,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ErrorParts {
            kind,
            url,
            attempts,
            gave_up,
            ..
        } = &*self.0;
        write!(f, "{url}: {kind}")?;
        if *attempts > 1 {
            write!(f, ", after {attempts} attempts")?;
        }
        match gave_up {
            Some(GiveUpReason::RetryAfter) => {
                f.write_str(", and asks for a longer pause than is granted")
            }
            Some(GiveUpReason::Total) => f.write_str(", and the time for attempts is over"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}
