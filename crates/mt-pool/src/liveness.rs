//! Who has been silent for too long.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Missed checks are counted, not elapsed time, and when the checks themselves come late everybody's
//! count starts over: a suspended laptop or an overloaded machine delays the watcher as much as the
//! watched, and nobody dies of it. Any frame counts as a sign of life.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mt_proto::WorkerId;

/// A check that comes later than this many intervals after the last one counts for nothing.
const LATE_FACTOR: u32 = 2;

/// When a worker counts as frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LivenessPolicy {
    /// How often a worker beats, and how often it is checked. Default 0.5 s, as in the seed.
    pub interval: Duration,
    /// The checks in a row it may miss. Default 5. (The seed waits 5 × 240 of its loops.)
    pub missed_beats: u32,
}

impl Default for LivenessPolicy {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            missed_beats: 5,
        }
    }
}

/// The liveness machine of a run.
#[derive(Debug)]
pub(crate) struct Liveness {
    policy: LivenessPolicy,
    watched: BTreeMap<WorkerId, Pulse>,
    last_check: Option<Instant>,
}

#[derive(Debug, Default)]
struct Pulse {
    heard: bool,
    missed: u32,
}

impl Liveness {
    pub(crate) fn new(policy: LivenessPolicy) -> Self {
        Self {
            policy,
            watched: BTreeMap::new(),
            last_check: None,
        }
    }

    /// Watches a worker from now on.
    pub(crate) fn watch(&mut self, worker: WorkerId) {
        self.watched.insert(
            worker,
            Pulse {
                heard: true,
                missed: 0,
            },
        );
    }

    /// Watches a worker no longer.
    pub(crate) fn forget(&mut self, worker: WorkerId) {
        self.watched.remove(&worker);
    }

    /// A worker sent something.
    pub(crate) fn heard(&mut self, worker: WorkerId) {
        if let Some(pulse) = self.watched.get_mut(&worker) {
            pulse.heard = true;
        }
    }

    /// When to check next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.watched.is_empty() {
            return None;
        }
        self.last_check.map(|last| last + self.policy.interval)
    }

    /// Checks everybody if a check is due; returns who has missed too many in a row. Whoever is
    /// returned starts over.
    pub(crate) fn check(&mut self, now: Instant) -> Vec<WorkerId> {
        let interval = self.policy.interval;
        let Some(last) = self.last_check.filter(|_| !self.watched.is_empty()) else {
            self.last_check = Some(now);
            return Vec::new();
        };
        let since = now.saturating_duration_since(last);
        if since < interval {
            return Vec::new();
        }
        self.last_check = Some(now);
        let late = since > interval * LATE_FACTOR;
        let mut frozen = Vec::new();
        for (worker, pulse) in &mut self.watched {
            if late || std::mem::take(&mut pulse.heard) {
                pulse.missed = 0;
            } else {
                pulse.missed += 1;
            }
            if pulse.missed >= self.policy.missed_beats {
                pulse.missed = 0;
                frozen.push(*worker);
            }
        }
        frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: WorkerId = WorkerId(3);

    fn watched() -> (Liveness, Instant, Duration) {
        let policy = LivenessPolicy::default();
        let mut liveness = Liveness::new(policy);
        let start = Instant::now();
        liveness.watch(W);
        assert!(liveness.check(start).is_empty());
        (liveness, start, policy.interval)
    }

    #[test]
    fn five_silent_checks_are_too_many_and_four_are_not() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert!(liveness.check(start + n * interval).is_empty(), "check {n}");
        }
        assert_eq!(liveness.check(start + 6 * interval), [W]);
    }

    #[test]
    fn a_sign_just_before_the_verdict_saves() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert!(liveness.check(start + n * interval).is_empty());
        }
        liveness.heard(W);
        for n in 6..=10 {
            assert!(liveness.check(start + n * interval).is_empty());
        }
        assert_eq!(liveness.check(start + 11 * interval), [W]);
    }

    #[test]
    fn a_watcher_that_was_stopped_condemns_nobody() {
        let (mut liveness, start, interval) = watched();
        let mut now = start;
        for _ in 0..100 {
            now += 60 * interval;
            assert!(liveness.check(now).is_empty());
        }
    }

    #[test]
    fn an_early_check_is_no_check() {
        let (mut liveness, start, _) = watched();
        for n in 0..100 {
            assert!(
                liveness
                    .check(start + n * Duration::from_micros(1))
                    .is_empty()
            );
        }
    }

    #[test]
    fn nobody_to_watch_means_nothing_to_wake_up_for() {
        let (mut liveness, _, _) = watched();
        assert!(liveness.poll_timeout().is_some());
        liveness.forget(W);
        assert_eq!(liveness.poll_timeout(), None);
    }
}
