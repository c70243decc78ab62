//! Looking at workers from outside when it is due, and telling the dispatch machine.

use std::time::Instant;

use super::{driver::Driver, watch::WEIGH};
use crate::{dispatch::Event, load, supervision::LATE};

impl Driver {
    /// Looks at what is due to be looked at.
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
