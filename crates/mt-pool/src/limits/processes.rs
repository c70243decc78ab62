//! How many worker processes there are.

use std::ops::{RangeFrom, RangeInclusive};

use super::check::{MAX_PROCESSES, in_range, processors};
use crate::error::StartError;

/// How many worker processes a run has: a number is the most, `2..=8` the fewest and the most, `2..` the
/// fewest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Processes {
    min: usize,
    max: Option<usize>,
}

impl Processes {
    /// The processes that are kept when there is nothing to do.
    pub(crate) fn min(self) -> usize {
        self.min
    }

    /// The most at once: the processors this process may use, if nothing is said.
    pub(crate) fn max(self) -> usize {
        self.max.unwrap_or_else(|| processors().max(self.min))
    }

    pub(crate) fn check(self) -> Result<(), StartError> {
        let (option, min, max) = ("processes", self.min, self.max());
        in_range(option, max, MAX_PROCESSES)?;
        if min <= max {
            return Ok(());
        }
        let problem = format!("is {min}..={max}: the fewest are more than the most");
        Err(StartError::Option { option, problem })
    }
}

impl From<usize> for Processes {
    fn from(max: usize) -> Self {
        Self::from(0..=max)
    }
}

impl From<RangeInclusive<usize>> for Processes {
    fn from(range: RangeInclusive<usize>) -> Self {
        let (min, max) = range.into_inner();
        Self {
            min,
            max: Some(max),
        }
    }
}

impl From<RangeFrom<usize>> for Processes {
    fn from(range: RangeFrom<usize>) -> Self {
        Self {
            min: range.start,
            max: None,
        }
    }
}
