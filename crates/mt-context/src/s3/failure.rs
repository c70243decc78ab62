//! How a request failed, as far as that may be told.

use std::{error::Error, time::Duration};

use object_store::client::{HttpError, HttpErrorKind};
use thiserror::Error;

use crate::retry::{FailureClass, RetryError};

/// The most characters of a server's code.
const MAX_CODE: usize = 64;

/// How a request failed. Of what the server has written this holds the code alone: the rest may repeat what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub(crate) struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) problem: String,
    retry_after: Option<Duration>,
    pub(crate) attempts: u32,
}

impl Failure {
    /// A server's refusal, with the beginning of what it has written.
    pub(crate) fn of_status(status: u16, body: &str, retry_after: Option<Duration>) -> Self {
        let code = code(body);
        let class = match code.as_deref() {
            Some("SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "Throttling") => {
                FailureClass::Throttled
            }
            // Somebody else's request for the same object was not done yet, and this one was not acted on.
            Some("ConditionalRequestConflict" | "OperationAborted") => FailureClass::Throttled,
            Some("RequestTimeout") => FailureClass::Timeout,
            Some("InternalError") => FailureClass::Server,
            _ => FailureClass::of_status(status),
        };
        Self {
            class,
            status: Some(status),
            code,
            problem: "the server refuses".to_owned(),
            retry_after,
            attempts: 1,
        }
    }

    /// A connection that was not made, or broke.
    pub(super) fn of_transport(error: &HttpError) -> Self {
        let class = match error.kind() {
            HttpErrorKind::Connect => FailureClass::Connect,
            HttpErrorKind::Timeout => FailureClass::Timeout,
            _ => FailureClass::Cut,
        };
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::of_connection(class, cause.to_string())
    }

    pub(super) fn of_connection(class: FailureClass, problem: String) -> Self {
        Self {
            class,
            status: None,
            code: None,
            problem,
            retry_after: None,
            attempts: 1,
        }
    }

    pub(super) fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }
}

impl RetryError for Failure {
    fn class(&self) -> FailureClass {
        self.class
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// How the request failed that an error of the library below is about; `None` if it is about none.
pub(crate) fn told(error: &object_store::Error) -> Option<Failure> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut transport = None;
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return Some(failure.clone());
        }
        transport = error.downcast_ref::<HttpError>().or(transport);
        cause = error.source();
    }
    transport.map(Failure::of_transport)
}

/// The code in a server's answer, if it looks like one.
fn code(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = (1..=MAX_CODE).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    is_code.then(|| code.to_owned())
}
