//! The decision to try again: a machine that is told of failures, the time and chance.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{failure_class::FailureClass, policy::RetryPolicy};

/// The attempts of one request: told of each failure, it says what is next.
///
/// ```
/// use std::time::{Duration, Instant};
/// use mt_context::retry::{FailureClass, GiveUpReason, RetryDecision, RetryPolicy, RetrySchedule};
///
/// let now = Instant::now();
/// let mut schedule = RetrySchedule::new(&RetryPolicy::seed_download(), now);
/// let mut after = |class| schedule.on_failure(class, None, now, 0.5);
/// assert_eq!(after(FailureClass::Timeout), RetryDecision::Wait(Duration::from_secs(1)));
/// assert_eq!(after(FailureClass::Server), RetryDecision::GiveUp(GiveUpReason::NotWorthIt));
/// ```
#[derive(Debug, Clone)]
pub struct RetrySchedule {
    policy: RetryPolicy,
    /// When the first attempt began, or the last that brought something.
    began: Instant,
    /// How many have failed since.
    failed: u32,
    /// How many have failed in all.
    failed_in_all: u32,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Another attempt, after this time.
    Wait(Duration),
    /// The failure is final.
    GiveUp(GiveUpReason),
}

/// Why there is no other attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The policy does not try failures of this class again.
    NotWorthIt,
    /// There were as many attempts as the policy has.
    Attempts,
    /// The next attempt would begin after the policy's time, or the last has been ended by it.
    Total,
    /// The server asks for a longer pause than the policy grants.
    RetryAfter,
}

impl RetrySchedule {
    /// Attempts by this policy, of which the first begins now.
    #[must_use]
    pub fn new(policy: &RetryPolicy, now: Instant) -> Self {
        Self {
            policy: policy.clone(),
            began: now,
            failed: 0,
            failed_in_all: 0,
        }
    }

    /// An attempt has failed. `retry_after` is what the server asks for; `chance` is from 0 to 1, drawn anew each time.
    pub fn on_failure(
        &mut self,
        class: FailureClass,
        retry_after: Option<Duration>,
        now: Instant,
        chance: f64,
    ) -> RetryDecision {
        self.failed = self.failed.saturating_add(1);
        self.failed_in_all = self.failed_in_all.saturating_add(1);
        if !self.policy.tries_again(class) {
            return RetryDecision::GiveUp(GiveUpReason::NotWorthIt);
        }
        if self.failed >= self.policy.most_attempts() {
            return RetryDecision::GiveUp(GiveUpReason::Attempts);
        }
        let asked = self.policy.heeded(retry_after).unwrap_or_default();
        if asked > self.policy.longest_wait() {
            return RetryDecision::GiveUp(GiveUpReason::RetryAfter);
        }
        // Not the longer of both: all who are told the same time would come back at the same time.
        let wait = asked.saturating_add(self.policy.pause(self.failed, chance));
        let spent = now.saturating_duration_since(self.began);
        let total = self.policy.total_time();
        if total.is_some_and(|total| spent.saturating_add(wait) >= total) {
            return RetryDecision::GiveUp(GiveUpReason::Total);
        }
        RetryDecision::Wait(wait)
    }

    /// What was asked for comes, if not all of it: attempts and time count from here. For a body that is resumed, whose
    /// end may be hours away.
    pub fn on_progress(&mut self, now: Instant) {
        self.began = now;
        self.failed = 0;
    }

    /// So long nothing was asked of the server: a turn was waited for, or whoever reads. That does not count as time.
    pub fn on_waited(&mut self, time: Duration) {
        self.began = self.began.checked_add(time).unwrap_or(self.began);
    }

    /// When the policy's time is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let total = self.policy.total_time()?;
        self.began.checked_add(total)
    }

    /// The number of the attempt that runs, from 1, whatever progress there was.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.failed_in_all.saturating_add(1)
    }
}
