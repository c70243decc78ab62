//! How often workers may be restarted for nothing.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! As in Erlang/OTP's supervisors: too many restarts mean that restarting does not help. (There, only
//! those within a period count; here an init that takes its time to fail must end too.) Only
//! fruitless lives count, those that ended without a single item finished and without one to blame:
//! crashes that an item caused are bounded by its `crash_limit` already.

use std::time::{Duration, Instant};

/// The first pause before a worker is started again; doubles with every fruitless life in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(128);

/// How many workers in a row may fail to do anything before the pool gives up.
///
/// A worker that died before it finished any item, and that no item can be blamed for, is restarted
/// after a pause (1 ms, doubled each time up to 128 ms, short again when a new worker works and after
/// a quiet period). After more
/// than `limit` such deaths in a row, however long each life was, without any item finishing anywhere
/// in between, no further worker is started, and once none is left every item gets the last cause as
/// its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartBudget {
    /// The fruitless deaths allowed in a row. Default 8; 0 means that the first is one too many.
    pub limit: u32,
    /// How long after such a death the count starts over, if no worker had to be started meanwhile
    /// or the limit was passed while other workers lived on. Default 10 s.
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

/// The fruitless deaths so far. For mt-beehive, whose bees are restarted by the same rule.
#[derive(Debug)]
pub struct Restarts {
    budget: RestartBudget,
    /// The fruitless deaths in a row.
    in_vain: u32,
    /// How often the pause has doubled.
    level: u32,
    exhausted: bool,
    last: Option<Instant>,
    not_before: Option<Instant>,
}

impl Restarts {
    /// None so far.
    #[must_use]
    pub fn new(budget: RestartBudget) -> Self {
        Self {
            budget,
            in_vain: 0,
            level: 0,
            exhausted: false,
            last: None,
            not_before: None,
        }
    }

    /// Counts a fruitless death.
    pub fn on_fruitless(&mut self, now: Instant) {
        self.in_vain = self.in_vain.saturating_add(1);
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.level)
            .min(LONGEST_PAUSE);
        self.level = (self.level + 1).min(16);
        self.last = Some(now);
        self.not_before = Some(now + pause);
    }

    /// Another try would end the same way: there is none.
    pub fn exhaust(&mut self) {
        self.exhausted = true;
    }

    /// Some worker finished items; `first` tells whether they were its first. Starting workers is not
    /// in vain, and if a new one works there is nothing to pause for.
    pub fn on_fruit(&mut self, first: bool) {
        self.in_vain = 0;
        if first {
            self.level = 0;
            self.not_before = None;
        }
    }

    /// Whether the budget is spent.
    #[must_use]
    pub fn spent(&self) -> bool {
        self.exhausted || self.in_vain > self.budget.limit
    }

    /// Whether a worker may be started now; if not, [`wakeup`](Self::wakeup) tells when. To be asked
    /// only when one is wanted: that is what tells a quiet period from workers that take long to die.
    pub fn allows(&mut self, now: Instant) -> bool {
        let quiet = |last: Instant| now.saturating_duration_since(last) > self.budget.period;
        if self.last.is_some_and(quiet) {
            self.in_vain = 0;
            self.level = 0;
        }
        !self.spent() && self.not_before.is_none_or(|then| then <= now)
    }

    /// When a worker may be started again, if not now.
    #[must_use]
    pub fn wakeup(&self) -> Option<Instant> {
        if self.exhausted {
            return None;
        }
        if !self.spent() {
            return self.not_before;
        }
        let healed = self.last?.checked_add(self.budget.period)?;
        let healed = healed.checked_add(Duration::from_millis(1));
        self.not_before.max(healed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);

    fn restarts(limit: u32, period: Duration) -> Restarts {
        Restarts::new(RestartBudget { limit, period })
    }

    /// Case M104: The restart budget is exact, and starts over after its period.
    #[test]
    fn the_limit_is_exact_and_time_heals() {
        let start = Instant::now();
        let mut restarts = restarts(2, PERIOD);
        for n in 0..2 {
            restarts.on_fruitless(start);
            assert!(!restarts.spent(), "death {n}");
        }
        restarts.on_fruitless(start);
        assert!(restarts.spent());
        assert!(!restarts.allows(start + PERIOD));
        let healed = start + PERIOD + Duration::from_millis(1);
        assert_eq!(restarts.wakeup(), Some(healed));
        assert!(restarts.allows(healed));
    }

    #[test]
    fn a_period_that_never_ends_heals_nothing() {
        let start = Instant::now();
        let mut restarts = restarts(0, Duration::MAX);
        restarts.on_fruitless(start);
        assert!(restarts.spent() && !restarts.allows(start + Duration::from_secs(1000)));
        assert_eq!(restarts.wakeup(), None);
    }

    #[test]
    fn slow_failures_count_like_quick_ones() {
        let mut restarts = restarts(2, PERIOD);
        let mut now = Instant::now();
        for _ in 0..3 {
            assert!(restarts.allows(now));
            now += 3 * PERIOD;
            restarts.on_fruitless(now);
            now += LONGEST_PAUSE;
        }
        assert!(!restarts.allows(now));
    }

    #[test]
    fn exhausted_means_for_good() {
        let now = Instant::now();
        let mut restarts = Restarts::new(RestartBudget::default());
        restarts.on_fruitless(now);
        restarts.exhaust();
        restarts.on_fruit(false);
        assert!(!restarts.allows(now + Duration::from_secs(3600)));
        assert_eq!(restarts.wakeup(), None, "nothing to wake up for");
    }

    #[test]
    fn fruit_anywhere_means_it_is_not_in_vain() {
        let now = Instant::now();
        let mut restarts = restarts(2, PERIOD);
        for _ in 0..10 {
            restarts.on_fruitless(now);
            restarts.on_fruitless(now);
            assert!(!restarts.spent());
            restarts.on_fruit(false);
        }
    }

    /// Case M105: Pauses between restarts double from 1 to 128 ms.
    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_quiet_period() {
        let now = Instant::now();
        let period = Duration::from_secs(1);
        let mut restarts = restarts(100, period);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            restarts.on_fruitless(now);
            let then = restarts.wakeup().expect("a pause");
            pauses.push(then.duration_since(now).as_millis());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 128]);
        let later = now + 2 * period;
        assert!(restarts.allows(later));
        restarts.on_fruitless(later);
        assert!(!restarts.allows(later));
        assert!(restarts.allows(later + FIRST_PAUSE));
    }
}
