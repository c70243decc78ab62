//! Why an item has no value, as the worker tells it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{EncodeError, MAX_TEXT_BYTES};

/// Why a worker has no value and no error of the function's own for an item.
///
/// What the worker can't tell because it is dead (crashed, killed) is the parent's to say.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
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
    /// Nobody waited for the item any more, so its call was not begun, or was dropped.
    #[error("cancelled")]
    Cancelled,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tuple = |f: &mut fmt::Formatter<'_>, name, told: &dyn fmt::Debug| {
            f.debug_tuple(name).field(told).finish()
        };
        match self {
            Self::Panicked {
                message,
                location,
                backtrace,
            } => f
                .debug_struct("Panicked")
                .field("message", message)
                .field("location", location)
                .field("backtrace", &CallStack(backtrace))
                .finish(),
            Self::Undecodable { message } => tuple(f, "Undecodable", message),
            Self::Unserialisable { message } => tuple(f, "Unserialisable", message),
            Self::TooLarge { limit_bytes } => tuple(f, "TooLarge", limit_bytes),
            Self::Context { step, message } => tuple(f, "Context", &(step, message)),
            Self::TimedOut { deadline, limit } => tuple(f, "TimedOut", &(deadline, limit)),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}

/// The most lines of a call stack that [`CallStack`] shows.
const SHOWN_STACK_LINES: usize = 32;

/// A call stack in what is printed by `{:?}`: the first 32 lines, each by itself.
#[derive(Clone, Copy)]
pub struct CallStack<'a>(pub &'a str);

impl fmt::Debug for CallStack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.lines().map(str::trim);
        let mut list = f.debug_list();
        list.entries(lines.by_ref().take(SHOWN_STACK_LINES));
        match lines.count() {
            0 => list.finish(),
            _ => list.finish_non_exhaustive(),
        }
    }
}

/// Of a result that can't be sent.
impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge { limit } => Self::TooLarge {
                limit_bytes: limit as u64,
            },
            EncodeError::Value(_) | EncodeError::Panicked(_) => Self::Unserialisable {
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

    /// Case 38: A panic that is printed by `{:?}` has its call stack in lines, and not all of it.
    #[test]
    fn a_panic_is_readable_where_it_is_debugged() {
        let panicked = |backtrace: &str| Failure::Panicked {
            message: "boom".into(),
            location: None,
            backtrace: backtrace.into(),
        };
        assert_eq!(
            format!("{:?}", panicked("   0: a::b\n         at ./c.rs:1:2\n")),
            r#"Panicked { message: "boom", location: None, backtrace: ["0: a::b", "at ./c.rs:1:2"] }"#
        );
        let long = format!("{:?}", panicked(&"   0: a::b\n".repeat(1000)));
        assert!(
            long.len() < 1000 && long.ends_with("\"0: a::b\", ..] }"),
            "{long}"
        );
    }

    /// Case I14: Texts are cut to 16 KiB at a character.
    #[test]
    fn clipping_keeps_short_texts_and_cuts_long_ones_at_a_character() {
        assert_eq!(clip_text("short".into()), "short");
        let long = clip_text("é".repeat(MAX_TEXT_BYTES));
        assert!(long.len() <= MAX_TEXT_BYTES);
        assert!(long.ends_with("(cut)"));
    }
}
