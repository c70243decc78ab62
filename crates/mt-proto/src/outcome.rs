//! Why an item has no value, as the worker tells it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{EncodeError, MAX_TEXT_BYTES};

/// Why a worker has no value and no error of the function's own for an item.
///
/// What the worker can't tell because it is dead (crashed, killed) is the parent's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The function panicked; the worker lives on.
    #[error("panicked: {message}{}", .location.as_ref().map_or(String::new(), |at| format!(" (at {at})")))]
    Panicked {
        /// The panic message.
        message: String,
        /// `file:line:column` of the panic.
        location: Option<String>,
        /// The call stack, one frame a line, as far as it could be resolved.
        backtrace: String,
    },
    /// The item's bytes are not a value of the function's input type.
    #[error("{message}")]
    Undecodable {
        /// What the decoder said.
        message: String,
    },
    /// The function returned, but its result does not serialise.
    #[error("{message}")]
    Unserialisable {
        /// What the encoder said.
        message: String,
    },
    /// The function returned, but its result is longer than the limit.
    #[error("longer than {limit_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The item's context could not be made, so the function was not called.
    #[error("{message}")]
    Context {
        /// The step that failed.
        step: ContextStep,
        /// What the context's code said.
        message: String,
    },
    /// The item waited for too long, or its call was ended for taking too long.
    #[error("not done within {limit:?}")]
    TimedOut {
        /// Which deadline it was.
        deadline: Deadline,
        /// How long that is.
        limit: Duration,
    },
}

/// Of a result that can't be sent.
impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge { limit } => Self::TooLarge {
                limit_bytes: limit as u64,
            },
            EncodeError::Value(_) => Self::Unserialisable {
                message: clip_text(error.to_string()),
            },
        }
    }
}

/// The deadlines of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Deadline {
    /// How long it may wait to be started.
    Queue,
    /// How long its call may take; at its end the call is cancelled and the worker goes on.
    Soft,
    /// How long its call may take; at its end the worker is killed.
    Hard,
}

/// The steps in a context's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ContextStep {
    /// Making the context from its config.
    Open,
    /// Closing it after the last item of its batch.
    Close,
}

/// Cuts a text to [`MAX_TEXT_BYTES`] at a character boundary and says so, so that no panic payload
/// or error text can flood the connection.
#[must_use]
pub fn clip_text(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        cut_at(&mut text, MAX_TEXT_BYTES);
        text.shrink_to_fit();
    }
    text
}

/// Cuts a text to `limit` bytes at a character boundary and says so.
pub(crate) fn cut_at(text: &mut String, limit: usize) {
    const MARK: &str = " … (cut)";
    if text.len() <= limit {
        return;
    }
    text.truncate(text.floor_char_boundary(limit - MARK.len()));
    text.push_str(MARK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_keeps_short_texts_and_cuts_long_ones_at_a_character() {
        assert_eq!(clip_text("short".into()), "short");
        let long = clip_text("é".repeat(MAX_TEXT_BYTES));
        assert!(long.len() <= MAX_TEXT_BYTES);
        assert!(long.ends_with("(cut)"));
    }
}
