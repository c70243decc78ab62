//! The loop around a schedule: attempts, pauses and the deadline of both.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::{
    failure_class::FailureClass,
    policy::RetryPolicy,
    schedule::{GiveUpReason, RetryDecision, RetrySchedule},
};

/// An error that tells whether another attempt may help.
pub trait RetryError {
    /// What kind of failure it is.
    fn class(&self) -> FailureClass;

    /// How long the server asks to be left alone. Default: it does not ask.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Why there was no other attempt, and how the last one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GaveUp<E> {
    /// Why there was no other.
    pub reason: GiveUpReason,
    /// How many attempts there were.
    pub attempts: u32,
    /// The last failure. `None` if the time was over in the first attempt.
    pub last: Option<E>,
}

impl<E: fmt::Display> fmt::Display for GaveUp<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.last {
            Some(error) => write!(f, "{error}")?,
            None => f.write_str("the time is over")?,
        }
        match self.attempts {
            1 => Ok(()),
            attempts => write!(f, " (after {attempts} attempts)"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for GaveUp<E> {}

/// Attempts until one succeeds, by a policy. The attempt's number is from 1.
///
/// Cancel-safe as far as an attempt is: dropped, it makes no other.
///
/// # Errors
/// [`GaveUp`], with the last failure.
///
/// # Panics
/// Outside a tokio runtime with time.
pub async fn retry<T, E, F>(
    policy: &RetryPolicy,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<T, GaveUp<E>>
where
    E: RetryError,
    F: Future<Output = Result<T, E>>,
{
    let mut schedule = RetrySchedule::new(policy, now());
    let mut last = None;
    loop {
        let attempts = schedule.attempt();
        let Some(outcome) = before(schedule.deadline(), attempt(attempts)).await else {
            let reason = GiveUpReason::Total;
            return Err(GaveUp {
                reason,
                attempts,
                last,
            });
        };
        let error = match outcome {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let (class, asked) = (error.class(), error.retry_after());
        last = Some(error);
        match schedule.on_failure(class, asked, now(), rand::random()) {
            RetryDecision::Wait(pause) => {
                tracing::debug!(?class, attempt = attempts, ?pause, "an attempt failed");
                sleep(pause).await;
            }
            RetryDecision::GiveUp(reason) => {
                return Err(GaveUp {
                    reason,
                    attempts,
                    last,
                });
            }
        }
    }
}

/// The time as schedules take it; in a test with tokio's paused clock, that.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// What a future comes to before a deadline; `None` if it does not.
pub(crate) async fn before<F: Future>(
    deadline: Option<std::time::Instant>,
    future: F,
) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => timeout_at(Instant::from_std(deadline), future).await.ok(),
    }
}
