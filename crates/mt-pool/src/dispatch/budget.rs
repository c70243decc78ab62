//! How often workers may be restarted for nothing.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! As in Erlang/OTP's supervisors: more than so many restarts within a period mean that restarting
//! does not help. Only fruitless lives count, those that ended without a single item finished and
//! without one to blame: crashes that an item caused are bounded by its `crash_limit` already.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The first pause before a worker is started again; doubles with every fruitless life in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(128);

/// How many workers in a row may fail to do anything before the pool gives up.
///
/// A worker that died before it finished any item, and that no item can be blamed for, is restarted
/// after a pause (1 ms, doubled each time up to 128 ms, short again after a quiet period). When more
/// than `limit` such deaths fall into `period` without any item finishing anywhere in between, no
/// further worker is started, and once none is left every item gets the last cause as its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartBudget {
    /// The fruitless deaths allowed within the period. Default 8; 0 means that the first is one too
    /// many.
    pub limit: u32,
    /// The period. Default 10 s.
    pub period: Duration,
}

impl Default for RestartBudget {
    fn default() -> Self {
        Self {
            limit: 8,
            period: Duration::from_secs(10),
        }
    }
}

/// The fruitless deaths so far.
#[derive(Debug)]
pub(crate) struct Restarts {
    budget: RestartBudget,
    /// Those since the last fruit, at most one more than the limit.
    in_vain: VecDeque<Instant>,
    /// How often the pause has doubled.
    level: u32,
    exhausted: bool,
    last: Option<Instant>,
    not_before: Option<Instant>,
}

impl Restarts {
    pub(crate) fn new(budget: RestartBudget) -> Self {
        Self {
            budget,
            in_vain: VecDeque::new(),
            level: 0,
            exhausted: false,
            last: None,
            not_before: None,
        }
    }

    /// Counts a fruitless death.
    pub(crate) fn on_fruitless(&mut self, now: Instant) {
        self.forget(now);
        if self.in_vain.len() <= self.budget.limit as usize {
            self.in_vain.push_back(now);
        }
        let quiet = self
            .last
            .is_none_or(|last| now.duration_since(last) > self.budget.period);
        self.level = if quiet { 0 } else { (self.level + 1).min(16) };
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.level)
            .min(LONGEST_PAUSE);
        self.last = Some(now);
        self.not_before = Some(now + pause);
    }

    /// Another try would end the same way: there is none.
    pub(crate) fn exhaust(&mut self) {
        self.exhausted = true;
    }

    /// Some worker finished an item: starting workers is not in vain.
    pub(crate) fn on_fruit(&mut self) {
        self.in_vain.clear();
    }

    /// Whether the budget is spent.
    pub(crate) fn spent(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.exhausted || self.in_vain.len() > self.budget.limit as usize
    }

    /// Whether a worker may be started now; if not, [`wakeup`](Self::wakeup) tells when.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        !self.spent(now) && self.not_before.is_none_or(|then| then <= now)
    }

    /// When a worker may be started again, if not now.
    pub(crate) fn wakeup(&self) -> Option<Instant> {
        let spent = self.in_vain.len() > self.budget.limit as usize;
        let healed = self
            .in_vain
            .front()
            .filter(|_| spent)
            .map(|&first| first + self.budget.period + Duration::from_millis(1));
        self.not_before.max(healed)
    }

    fn forget(&mut self, now: Instant) {
        let old = |then: &Instant| now.duration_since(*then) > self.budget.period;
        while self.in_vain.front().is_some_and(old) {
            self.in_vain.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact_and_time_heals() {
        let start = Instant::now();
        let period = Duration::from_secs(10);
        let mut restarts = Restarts::new(RestartBudget { limit: 2, period });
        for n in 0..2 {
            restarts.on_fruitless(start);
            assert!(!restarts.spent(start), "death {n}");
        }
        restarts.on_fruitless(start);
        assert!(restarts.spent(start));
        assert!(!restarts.allows(start + period));
        assert!(restarts.allows(start + period + Duration::from_millis(1)));
    }

    #[test]
    fn fruit_anywhere_means_it_is_not_in_vain() {
        let now = Instant::now();
        let mut restarts = Restarts::new(RestartBudget {
            limit: 2,
            period: Duration::from_secs(10),
        });
        for _ in 0..10 {
            restarts.on_fruitless(now);
            restarts.on_fruitless(now);
            assert!(!restarts.spent(now));
            restarts.on_fruit();
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_quiet_period() {
        let now = Instant::now();
        let period = Duration::from_secs(1);
        let mut restarts = Restarts::new(RestartBudget { limit: 100, period });
        let mut pauses = Vec::new();
        for _ in 0..9 {
            restarts.on_fruitless(now);
            pauses.push(
                restarts
                    .wakeup()
                    .expect("a pause")
                    .duration_since(now)
                    .as_millis(),
            );
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 128]);
        let later = now + 2 * period;
        restarts.on_fruitless(later);
        assert!(!restarts.allows(later));
        assert!(restarts.allows(later + FIRST_PAUSE));
    }
}
