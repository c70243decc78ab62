//! The options of limits for hosts.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::out_of_range::OutOfRange;

/// What a host gets from one worker process at most. Each of several workers has these limits for itself: a limit of all
/// is divided by their number.
///
/// | option | default | why |
/// |---|---|---|
/// | [`concurrency`](Self::concurrency) | 8 | as Scrapy has it for a domain; browsers have 6 |
/// | [`rate`](Self::rate) | none | only the host's owner knows one |
/// | [`remembered_hosts`](Self::remembered_hosts) | 1024 | about 100 KiB |
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostLimits {
    concurrency: Option<u32>,
    rate: Option<RateLimit>,
    remembered_hosts: u32,
}

/// So many requests in a time, of which some may come at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateLimit {
    requests: u32,
    per: Duration,
    burst: u32,
}

impl HostLimits {
    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            concurrency: Some(8),
            rate: None,
            remembered_hosts: 1024,
        }
    }

    /// No limits.
    #[must_use]
    pub fn none() -> Self {
        Self::new().concurrency(None)
    }

    /// The most requests at once, each from its first byte to the last of its answer, at least 1; `None` for as many as
    /// there are. Default 8.
    #[must_use]
    pub fn concurrency(mut self, most: impl Into<Option<u32>>) -> Self {
        self.concurrency = most.into();
        self
    }

    /// How many requests begin in a time. Default: as many as there are.
    #[must_use]
    pub fn rate(mut self, rate: impl Into<Option<RateLimit>>) -> Self {
        self.rate = rate.into();
        self
    }

    /// How many hosts are remembered at most that no request runs for or waits for, at least 1. A host is forgotten
    /// once its rate has recovered; of more hosts than this the one that is nearest to that is forgotten before, and may
    /// get a burst too early. Default 1024.
    #[must_use]
    pub fn remembered_hosts(mut self, most: u32) -> Self {
        self.remembered_hosts = most;
        self
    }

    /// Whether every option is within its range.
    ///
    /// # Errors
    /// [`OutOfRange`] with the option's name.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let at_least_one = [
            ("limits.concurrency", self.concurrency),
            ("limits.remembered_hosts", Some(self.remembered_hosts)),
            ("limits.rate.requests", self.rate.map(|rate| rate.requests)),
            ("limits.rate.burst", self.rate.map(|rate| rate.burst)),
        ];
        for (option, value) in at_least_one {
            if value == Some(0) {
                return Err(OutOfRange::new(option, "is 0; it has to be at least 1"));
            }
        }
        match self.rate {
            Some(rate) if rate.interval().is_zero() => {
                let (requests, per) = (rate.requests, rate.per);
                let problem = format!("is {requests} in {per:?}: more than one a nanosecond");
                Err(OutOfRange::new("limits.rate", problem))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.concurrency
            .map_or(usize::MAX, |most| most.max(1) as usize)
    }

    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.rate
    }

    pub(super) fn most_remembered(&self) -> usize {
        self.remembered_hosts as usize
    }
}

impl Default for HostLimits {
    fn default() -> Self {
        Self::new()
    }
}

impl RateLimit {
    /// So many requests, at least 1, in this time, evenly: the next begins when its share of the time is over.
    #[must_use]
    pub fn new(requests: u32, per: Duration) -> Self {
        let burst = 1;
        Self {
            requests,
            per,
            burst,
        }
    }

    /// How many may begin at once after a rest, at least 1. Default 1.
    #[must_use]
    pub fn burst(mut self, most: u32) -> Self {
        self.burst = most;
        self
    }

    /// One request's share of the time.
    pub(super) fn interval(self) -> Duration {
        self.per / self.requests.max(1)
    }

    /// How far ahead of an even rate requests may be.
    pub(super) fn tolerance(self) -> Duration {
        self.interval().saturating_mul(self.burst.saturating_sub(1))
    }
}
