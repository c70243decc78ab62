//! How often a request is tried, after which pauses, and for how long in all.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use super::failure_class::FailureClass;
use crate::out_of_range::OutOfRange;

/// The most attempts of a policy.
const MAX_ATTEMPTS: u32 = 1000;

/// How often a request is tried, after which pauses, and for how long in all. Crosses to workers as part of a config.
///
/// | option | default | why |
/// |---|---|---|
/// | [`attempts`](Self::attempts) | 10 | as Apache Arrow's `object_store` has it; the time below ends most series before |
/// | [`pauses`](Self::pauses) | 100 ms doubled up to 20 s, all of it at random | the first as in `object_store`, the longest as in the AWS SDKs' standard mode |
/// | [`total`](Self::total) | 180 s | as `object_store` has it: an outage of a minute is survived, and nobody waits for an hour |
/// | [`longest_retry_after`](Self::longest_retry_after) | 60 s | what a server asks for is believed up to here |
/// | [`only`](Self::only) | every class but `Permanent` | what may pass by itself |
///
/// All of a pause is at random ("full jitter": Brooker, "Exponential backoff and jitter", AWS, 2015): of many that
/// failed at once this has the fewest attempts, and the server the least load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    attempts: u32,
    pauses: Pauses,
    total: Option<Duration>,
    longest_retry_after: Duration,
    classes: BTreeSet<FailureClass>,
}

/// What is waited between two attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Pauses {
    /// Between nothing and a time that doubles from the first up to the longest.
    Jittered { first: Duration, longest: Duration },
    /// These, and after the last no other attempt.
    Fixed(Vec<Duration>),
}

impl RetryPolicy {
    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        use FailureClass::{Connect, Cut, Server, Throttled, Timeout};
        Self {
            attempts: 10,
            pauses: Pauses::Jittered {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(20),
            },
            total: Some(Duration::from_secs(180)),
            longest_retry_after: Duration::from_secs(60),
            classes: BTreeSet::from([Connect, Timeout, Cut, Throttled, Server]),
        }
    }

    /// One attempt, and none after it.
    #[must_use]
    pub fn never() -> Self {
        Self::new().attempts(1)
    }

    /// The rule of the seed's downloads: what failed for its connection or by a timeout is tried again after 1 s, then
    /// after 10 s, and no status is.
    #[must_use]
    pub fn seed_download() -> Self {
        use FailureClass::{Connect, Cut, Timeout};
        let pauses = [1, 10].map(Duration::from_secs);
        let policy = Self::new().fixed_pauses(pauses).total(None);
        policy.only([Connect, Timeout, Cut])
    }

    /// How many attempts there are at most, the first among them, 1 to 1000. Default 10.
    #[must_use]
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most;
        self
    }

    /// The pause before the second attempt is anything up to `first`, and that doubles for each after it, up to
    /// `longest`, which is not shorter. Default 100 ms and 20 s.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.pauses = Pauses::Jittered { first, longest };
        self
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn pauses_ms(self, first: u64, longest: u64) -> Self {
        let [first, longest] = [first, longest].map(Duration::from_millis);
        self.pauses(first, longest)
    }

    /// Exactly these pauses, without chance, and no attempt after the last.
    #[must_use]
    pub fn fixed_pauses(mut self, pauses: impl IntoIterator<Item = Duration>) -> Self {
        self.pauses = Pauses::Fixed(pauses.into_iter().collect());
        self
    }

    /// How long all attempts and pauses may take together; `None` for ever. Default 180 s. An attempt that runs at the
    /// end of it is ended. A pause that would last longer is not begun.
    #[must_use]
    pub fn total(mut self, total: impl Into<Option<Duration>>) -> Self {
        self.total = total.into();
        self
    }

    /// The longest time that is waited because a server asks for it; if it asks for longer, that is the end. 0 does
    /// as if servers never asked. Default 60 s.
    #[must_use]
    pub fn longest_retry_after(mut self, longest: Duration) -> Self {
        self.longest_retry_after = longest;
        self
    }

    /// Tries again after failures of these classes only. [`FailureClass::Permanent`] is never among them.
    #[must_use]
    pub fn only(mut self, classes: impl IntoIterator<Item = FailureClass>) -> Self {
        self.classes = classes.into_iter().collect();
        self.classes.remove(&FailureClass::Permanent);
        self
    }

    /// The same policy for a request that must not happen twice: tries again only what the server has not acted on.
    #[must_use]
    pub fn only_unambiguous(mut self) -> Self {
        self.classes.retain(|class| !class.is_ambiguous());
        self
    }

    /// Whether every option is within its range.
    ///
    /// # Errors
    /// [`OutOfRange`] with the option's name.
    pub fn check(&self) -> Result<(), OutOfRange> {
        if !(1..=MAX_ATTEMPTS).contains(&self.attempts) {
            let problem = format!("is {}; it can be 1 to {MAX_ATTEMPTS}", self.attempts);
            return Err(OutOfRange::new("retry.attempts", problem));
        }
        if let Pauses::Jittered { first, longest } = self.pauses
            && first > longest
        {
            let problem = format!("is {first:?} at first and {longest:?} at the longest");
            return Err(OutOfRange::new("retry.pauses", problem));
        }
        if self.total.is_some_and(|total| total.is_zero()) {
            return Err(OutOfRange::new("retry.total", "is 0: no attempt has time"));
        }
        Ok(())
    }

    pub(super) fn tries_again(&self, class: FailureClass) -> bool {
        class != FailureClass::Permanent && self.classes.contains(&class)
    }

    /// The most attempts, whichever option says so.
    pub(super) fn most_attempts(&self) -> u32 {
        match &self.pauses {
            Pauses::Jittered { .. } => self.attempts,
            Pauses::Fixed(pauses) => {
                let pauses = u32::try_from(pauses.len()).unwrap_or(u32::MAX);
                self.attempts.min(pauses.saturating_add(1))
            }
        }
    }

    /// The pause after so many attempts, of which there has been at least one. `chance` is 0 to 1.
    pub(super) fn pause(&self, attempts: u32, chance: f64) -> Duration {
        let before = attempts.saturating_sub(1);
        match &self.pauses {
            Pauses::Jittered { first, longest } => {
                let doubled = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
                let most = first.saturating_mul(doubled).min(*longest);
                let chance = if chance.is_finite() { chance } else { 1.0 };
                let nanos = most.as_nanos() as f64 * chance.clamp(0.0, 1.0);
                Duration::from_nanos(nanos as u64).min(most)
            }
            Pauses::Fixed(pauses) => pauses.get(before as usize).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn total_time(&self) -> Option<Duration> {
        self.total
    }

    /// What a server asks for, as far as that is heeded.
    pub(crate) fn heeded(&self, retry_after: Option<Duration>) -> Option<Duration> {
        retry_after.filter(|_| !self.longest_retry_after.is_zero())
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        self.longest_retry_after
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}
