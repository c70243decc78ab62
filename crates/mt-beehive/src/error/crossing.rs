//! Why something of a task did not cross between the queen and a worker bee.

use std::fmt;

use mt_proto::EncodeError;
use serde::{Deserialize, Serialize};

/// Something of a task did not cross between the queen and a worker bee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{part} of task `{task}` {problem}")]
#[non_exhaustive]
pub struct CrossingError {
    /// The task's name, clipped.
    pub task: String,
    /// What of it. The task was called only if this is the value or the error that it returned.
    pub part: Part,
    /// Why it did not.
    pub problem: CrossingProblem,
}

/// What of a task crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Part {
    /// The task's name.
    Name,
    /// The arguments.
    Arguments,
    /// The value that the task returned.
    Value,
    /// The error that the task returned.
    Error,
}

/// Why something does not cross.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CrossingProblem {
    /// The type's `Serialize` refused.
    #[error("can't be sent: {message}")]
    Unserialisable {
        /// What the encoder said.
        message: String,
    },
    /// What is read is not what was written. Where types are named by hand ([`Hive::delegate`](crate::Hive::delegate),
    /// [`Delegate::raises`](crate::Delegate::raises)) they may not be the task's; otherwise its `Serialize` and its
    /// `Deserialize` do not agree, or the latter refused.
    #[error("can't be decoded as {message}{}", .types.as_ref().map_or(String::new(), |types| format!("; {types}")))]
    Undecodable {
        /// The type that was expected, and what the decoder said.
        message: String,
        /// The types, where they are not the same.
        types: Option<OtherType>,
    },
    /// Too long, that is.
    #[error("can't be sent: at most {limit_bytes} bytes are allowed")]
    TooLarge {
        /// The most bytes it may have once encoded.
        limit_bytes: u64,
    },
}

/// Two types, where one was expected: a number of another width or sign, fewer fields. Name the one that is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("`{given}` is given, and `{expected}` is expected")]
#[non_exhaustive]
pub struct OtherType {
    /// The type of what was sent.
    pub given: String,
    /// The type that the receiver has for it.
    pub expected: String,
}

impl CrossingProblem {
    /// What is no `expected`.
    pub(crate) fn undecodable(message: String) -> Self {
        let types = None;
        Self::Undecodable { message, types }
    }

    /// The same of something of one type that was read as another.
    pub(crate) fn between(self, given: &str, expected: &str) -> Self {
        match self {
            Self::Undecodable { message, .. } if given != expected => Self::Undecodable {
                message,
                types: Some(OtherType {
                    given: given.to_owned(),
                    expected: expected.to_owned(),
                }),
            },
            problem => problem,
        }
    }
}

impl CrossingError {
    pub(crate) fn new(task: &str, part: Part, problem: CrossingProblem) -> Self {
        let task = mt_proto::clip_text(task.to_owned());
        Self {
            task,
            part,
            problem,
        }
    }

    pub(crate) fn too_large(task: &str, part: Part, limit_bytes: u64) -> Self {
        Self::new(task, part, CrossingProblem::TooLarge { limit_bytes })
    }
}

impl From<EncodeError> for CrossingProblem {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge { limit } => Self::TooLarge {
                limit_bytes: limit as u64,
            },
            other => Self::Unserialisable {
                message: other.to_string(),
            },
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name",
            Self::Arguments => "the arguments",
            Self::Value => "the value",
            Self::Error => "the error",
        })
    }
}
