//! Looking at workers from outside: how far they are, and how much memory they use.

use std::time::{Duration, Instant};

use crate::dispatch::DispatchConfig;

/// The longest time between two looks at what workers have started: how late a deadline may be noticed.
const LOOK: Duration = Duration::from_millis(25);
/// The shortest.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
pub(super) const WEIGH: Duration = Duration::from_millis(100);

/// What to look at, and when.
#[derive(Debug)]
pub(super) struct WatchSchedule {
    /// Between two looks, if there is a deadline of calls.
    pub(super) every: Option<Duration>,
    pub(super) next_look: Instant,
    pub(super) next_weigh: Instant,
    /// Whether workers are weighed one by one.
    pub(super) weighs_each: bool,
    /// Whether what the processes below a worker have allocated counts as the worker's.
    pub(super) with_children: bool,
    /// The used part of the machine's memory at which dispatch slows down.
    pub(super) memory_high: Option<f64>,
}

impl WatchSchedule {
    pub(super) fn new(config: &DispatchConfig, now: Instant) -> Self {
        let every = |deadline: Duration| (deadline / 4).clamp(SHORTEST_LOOK, LOOK);
        let memory = &config.memory;
        let limits = [
            memory.max_rss_bytes,
            memory.budget_bytes,
            config.recycle.rss_bytes,
        ];
        Self {
            every: config
                .hard_deadline
                .into_iter()
                // Contexts of calls are hardly ever closed; then it is switched on.
                .chain(config.close_deadline.filter(|_| !config.takes_all))
                .min()
                .map(every),
            next_look: now,
            next_weigh: now,
            weighs_each: limits.iter().any(Option::is_some),
            with_children: memory.with_children,
            memory_high: memory.pause_above,
        }
    }

    /// Looks are needed from now on: there was a call that may run only so long, or that nobody waits for any more.
    pub(super) fn watch_calls(&mut self) {
        self.every.get_or_insert(LOOK);
    }

    /// When to look next: not at all while nobody works.
    pub(super) fn wakeup(&self, working: bool, nobody: bool) -> Option<Instant> {
        let look = self.every.filter(|_| working).map(|_| self.next_look);
        let weigh = self.weighs() && !nobody;
        let weigh = weigh.then_some(self.next_weigh);
        look.into_iter().chain(weigh).min()
    }

    pub(super) fn weighs(&self) -> bool {
        self.weighs_each || self.memory_high.is_some()
    }
}
