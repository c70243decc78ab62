//! Looking at workers from outside: how far they are, and how much memory they use.

use std::time::{Duration, Instant};

use super::driver::Driver;
use crate::{
    dispatch::Event,
    load,
    supervision::{Death, DeathCause, LATE},
};

const SIGKILL: i32 = 9;

/// The longest time between two looks at what workers have started: how late a deadline may be noticed.
const LOOK: Duration = Duration::from_millis(25);
/// The shortest.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
const WEIGH: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WatchConfig {
    /// The shortest deadline of a call, if there is one.
    pub(crate) deadline: Option<Duration>,
    /// Whether workers finish one item before they start the next.
    pub(crate) in_order: bool,
    pub(crate) weigh: bool,
    /// The used part of the machine's memory at which dispatch slows down.
    pub(crate) memory_high: Option<f64>,
}

#[derive(Debug)]
pub(super) struct WatchSchedule {
    config: WatchConfig,
    every: Option<Duration>,
    next_look: Instant,
    next_weigh: Instant,
    /// The processes the system had killed for want of memory when that was last looked at.
    oom_kills: Option<u64>,
}

impl WatchSchedule {
    pub(super) fn new(config: WatchConfig, now: Instant) -> Self {
        let every = |deadline: Duration| (deadline / 4).clamp(SHORTEST_LOOK, LOOK);
        Self {
            config,
            every: config.deadline.map(every),
            next_look: now,
            next_weigh: now,
            oom_kills: load::oom_kills(),
        }
    }

    /// When to look next: not at all while nobody works.
    pub(super) fn wakeup(&self, working: bool, nobody: bool) -> Option<Instant> {
        let look = self.every.filter(|_| working).map(|_| self.next_look);
        let weigh = self.weighs() && !nobody;
        let weigh = weigh.then_some(self.next_weigh);
        look.into_iter().chain(weigh).min()
    }

    /// Whether a worker that somebody has killed was killed by the system for want of memory: if so, the
    /// system says that it has killed one more than before.
    pub(super) fn was_out_of_memory(&mut self, death: &Death) -> bool {
        let killed = death.exit.signal == Some(SIGKILL) && death.cause == DeathCause::Itself;
        if !killed {
            return false;
        }
        let kills = load::oom_kills();
        let more = kills > self.oom_kills;
        self.oom_kills = kills;
        more
    }

    fn weighs(&self) -> bool {
        self.config.weigh || self.config.memory_high.is_some()
    }
}

impl Driver {
    pub(super) fn on_watch(&mut self, now: Instant) {
        // Before a deadline is held against anybody, what happened in the last moment is taken in.
        let due = self.dispatch.poll_timeout().is_some_and(|due| due <= now);
        if let Some(every) = self.watch.every
            && (self.watch.next_look <= now || due)
        {
            self.watch.next_look = now + every;
            for (worker, look) in self.workers.looks() {
                self.dispatch(Event::Look(worker, look));
            }
        }
        if self.watch.weighs() && self.watch.next_weigh <= now {
            self.watch.next_weigh = now + WEIGH;
            self.weigh();
        }
    }

    /// A process that was stopped, or a machine that was, wakes up late. Must come before anything that
    /// looks at the time.
    pub(super) fn notice_lateness(&mut self, now: Instant) {
        let late = self
            .expected
            .map(|then| now.saturating_duration_since(then));
        if let Some(late) = late.filter(|&late| late > LATE) {
            self.expected = Some(now);
            self.dispatch.handle(now, Event::Late(late));
        }
    }

    fn weigh(&mut self) {
        let high = self.watch.config.memory_high;
        let high = high.is_some_and(load::used_memory_above);
        let pids = if self.watch.config.weigh {
            self.workers.pids()
        } else {
            Vec::new()
        };
        let weigh = |(worker, pid)| Some((worker, load::rss_of(pid)?));
        let weights = pids.into_iter().filter_map(weigh).collect();
        self.dispatch(Event::Weighed(weights, high));
    }
}
