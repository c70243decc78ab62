//! What kind of failure an attempt ended in: all that a decision to try again needs of it.
//!
//! Pure: no IO, no clock, no runtime.

use serde::{Deserialize, Serialize};

/// What kind of failure an attempt ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureClass {
    /// No connection was made: the server has not seen the request.
    Connect,
    /// Nothing came for too long, or the server says that it waited too long (408).
    Timeout,
    /// The connection broke after the request was sent, or in the middle of the body.
    Cut,
    /// The server asks for fewer requests: 429, or 503 (of S3: `SlowDown`). It has not acted.
    Throttled,
    /// The server has failed: 500, 502, 504.
    Server,
    /// The same request would fail again: any other status, a body over its limit, an address that is none.
    Permanent,
}

impl FailureClass {
    /// The class of an HTTP status that is no success.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            408 => Self::Timeout,
            429 | 503 => Self::Throttled,
            500 | 502 | 504 => Self::Server,
            _ => Self::Permanent,
        }
    }

    /// Whether the server may have acted on the request all the same: to send again what must not happen twice is
    /// wrong then.
    #[must_use]
    pub fn is_ambiguous(self) -> bool {
        matches!(self, Self::Timeout | Self::Cut | Self::Server)
    }
}
