//! Whose the kills may have been that a control group's counter tells of.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! The counter says how many processes of the group the system has killed for want of memory, and not which. A
//! worker of that group that was killed claims one: each kill is claimed once, and only by who dies soon after it
//! was counted. What nobody claims was somebody else's.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long after a kill was counted the end of the process may be seen: a big one takes its time to end.
const CLAIMABLE: Duration = Duration::from_secs(2);
/// The most kills that are remembered.
const MAX_UNCLAIMED: u64 = 1024;

#[derive(Debug)]
pub(super) struct OomLedger {
    counted: u64,
    /// When those were counted that nobody has claimed, the oldest first.
    unclaimed: VecDeque<Instant>,
}

impl OomLedger {
    /// From a counter at which all before is nobody's.
    pub(super) fn new(counter: u64) -> Self {
        Self {
            counted: counter,
            unclaimed: VecDeque::new(),
        }
    }

    /// The counter stands there now.
    pub(super) fn count(&mut self, now: Instant, counter: u64) {
        let more = counter.saturating_sub(self.counted).min(MAX_UNCLAIMED);
        self.counted = counter;
        self.unclaimed.extend((0..more).map(|_| now));
        let old = |since: &Instant| now.saturating_duration_since(*since) > CLAIMABLE;
        let expired = self.unclaimed.iter().take_while(|since| old(since)).count();
        let beyond = self.unclaimed.len().saturating_sub(MAX_UNCLAIMED as usize);
        self.unclaimed.drain(..expired.max(beyond));
    }

    /// A worker was killed by who knows whom; the counter stands there now. Whether it was the system, for want of
    /// memory.
    pub(super) fn claim(&mut self, now: Instant, counter: u64) -> bool {
        self.count(now, counter);
        self.unclaimed.pop_front().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> (OomLedger, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        (OomLedger::new(7), move |ms| {
            start + Duration::from_millis(ms)
        })
    }

    #[test]
    fn each_kill_is_claimed_once() {
        let (mut ledger, at) = ledger();
        assert!(!ledger.claim(at(0), 7), "what was before is nobody's");
        // Two at once, of which the second is looked at when both are counted.
        assert!(ledger.claim(at(10), 9));
        assert!(ledger.claim(at(11), 9));
        assert!(!ledger.claim(at(12), 9));
    }

    #[test]
    fn a_kill_that_was_counted_meanwhile_can_be_claimed_for_a_while() {
        let (mut ledger, at) = ledger();
        ledger.count(at(0), 8);
        ledger.count(at(500), 8);
        assert!(ledger.claim(at(1500), 8));
        ledger.count(at(2000), 9);
        assert!(!ledger.claim(at(4001), 9), "it was somebody else's");
    }

    #[test]
    fn a_counter_that_starts_over_or_runs_away_is_survived() {
        let (mut ledger, at) = ledger();
        assert!(!ledger.claim(at(0), 0));
        assert!(ledger.claim(at(1), u64::MAX));
        ledger.count(at(2), 0);
        ledger.count(at(2), u64::MAX);
        assert!(ledger.unclaimed.len() <= MAX_UNCLAIMED as usize);
    }
}
