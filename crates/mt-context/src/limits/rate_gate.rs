//! When the next request may begin, by a rate.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use super::host_limits::RateLimit;

/// A rate kept by one number: the time at which requests so far would have been due if they came evenly. The generic
/// cell rate algorithm (ITU-T I.371), which lets the same pass as a leaky bucket and needs no tick.
#[derive(Debug)]
pub(super) struct RateGate {
    interval: Duration,
    tolerance: Duration,
    /// When the next request is due; `None` before the first.
    due: Option<Instant>,
}

impl RateGate {
    pub(super) fn new(rate: RateLimit) -> Self {
        Self {
            interval: rate.interval(),
            tolerance: rate.tolerance(),
            due: None,
        }
    }

    /// How long the next request has to wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.ahead(now).saturating_sub(self.tolerance)
    }

    /// A request begins.
    pub(super) fn take(&mut self, now: Instant) {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due.checked_add(self.interval).unwrap_or(due));
    }

    /// How far requests are ahead of an even rate. Nothing: the gate is as if it was new.
    pub(super) fn ahead(&self, now: Instant) -> Duration {
        self.due
            .map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }
}
