//! The error of an option that is out of its range.

use std::fmt::Display;

use thiserror::Error;

/// An option that is out of its range. Nothing has been started; the same again is refused again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{option}` {problem}")]
#[non_exhaustive]
pub struct OutOfRange {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl OutOfRange {
    pub(crate) fn new(option: &'static str, problem: impl Display) -> Self {
        let problem = problem.to_string();
        Self { option, problem }
    }
}
