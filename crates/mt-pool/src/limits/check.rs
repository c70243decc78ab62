//! The ranges of options: what is out of its range is an error that names the option.

use std::{thread, time::Duration};

use crate::error::StartError;

/// The most workers of a run. Far beyond any machine's cores, and below its usual limit of
/// descriptors.
pub(crate) const MAX_PROCESSES: usize = 4096;
/// The most items per batch, items at once, and items on the way.
pub(crate) const MAX_ITEMS: usize = 1 << 24;
/// The shortest deadline or age that can be kept.
const SHORTEST_TIME: Duration = Duration::from_millis(1);
/// Longer times are taken for this one: they mean "never".
const LONGEST_TIME: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Checks a number that has an upper bound.
///
/// # Errors
/// [`StartError::Option`] for a value that is not 1 to `most`.
pub fn in_range(
    option: &'static str,
    value: impl TryInto<u64>,
    most: usize,
) -> Result<(), StartError> {
    match value.try_into().unwrap_or(u64::MAX) {
        value if value > most as u64 => Err(StartError::Option {
            option,
            problem: format!("is {value}; it can be at most {most}"),
        }),
        value => at_least_one(option, value),
    }
}

/// Checks a number that can't be 0; `None` is no limit.
///
/// # Errors
/// [`StartError::Option`] for 0.
pub fn at_least_one(option: &'static str, value: impl Into<Option<u64>>) -> Result<(), StartError> {
    match value.into() {
        Some(0) => Err(StartError::Option {
            option,
            problem: "is 0; it has to be at least 1".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Checks a time that can't be shorter than 1 ms; `None` is no limit.
///
/// # Errors
/// [`StartError::Option`] for a time under 1 ms.
pub fn is_time(option: &'static str, time: impl Into<Option<Duration>>) -> Result<(), StartError> {
    match time.into() {
        Some(time) if time < SHORTEST_TIME => Err(StartError::Option {
            option,
            problem: format!("is {time:?}; it has to be at least {SHORTEST_TIME:?}"),
        }),
        _ => Ok(()),
    }
}

/// # Errors
/// [`StartError::Option`] for a number that is not 0 to 1.
pub(crate) fn is_fraction(option: &'static str, value: f64) -> Result<(), StartError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    let problem = format!("is {value}; it has to be between 0 and 1");
    Err(StartError::Option { option, problem })
}

/// A time that can be reckoned with, at most 30 years: it can be added to any instant.
#[must_use]
pub fn reckonable(time: Duration) -> Duration {
    time.min(LONGEST_TIME)
}

pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
