//! Fresh workers for used ones: after so many items, so long, so much memory; and fewer of them when
//! there is nothing to do.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;

use super::{
    Dispatch,
    hand::{Hand, Phase},
};

impl Dispatch {
    /// Takes note that a worker is ready to grow old.
    pub(super) fn on_birth(&mut self, now: Instant, worker: WorkerId) {
        let early = self.config.recycle.jitter * self.dice.unit();
        let age = self.config.recycle.age;
        if let Some(hand) = self.crew.get_mut(&worker) {
            hand.idle_since = Some(now);
            hand.tired_at = age.map(|age| now + age.mul_f64(1.0 - early));
            hand.early = early;
        }
    }

    /// Sees to the workers that are due to be replaced.
    pub(super) fn replace_tired(&mut self, now: Instant) {
        for worker in self.workers_that(|hand| hand.phase == Phase::Ready && hand.tired) {
            self.replace(now, worker);
        }
    }

    /// Takes note of who is due to be replaced.
    pub(super) fn notice_tired(&mut self, now: Instant) {
        let rss = self.config.recycle.rss;
        for hand in self.crew.values_mut() {
            let heavy = rss.is_some_and(|rss| hand.rss as f64 > rss as f64 * (1.0 - hand.early));
            let old = hand.tired_at.is_some_and(|at| at <= now);
            if hand.quota == Some(0) || heavy || old {
                hand.tired = true;
                hand.tired_at = None;
            }
        }
    }

    /// A tired worker goes on until its successor is ready, if it can, then finishes what it has, and
    /// goes.
    fn replace(&mut self, now: Instant, worker: WorkerId) {
        let phase_of = |worker: &WorkerId| self.crew.get(worker).map(|hand| hand.phase);
        let hand = &self.crew[&worker];
        let successor = hand.successor.and_then(|successor| phase_of(&successor));
        let spent = hand.quota == Some(0);
        let idle = hand.in_hand() == 0;
        match successor {
            Some(Phase::Ready) => self.rest(worker),
            // It is on its way.
            Some(Phase::Starting) => {}
            _ if self.queue.items() == 0 => {
                // Nothing is lost by waiting for more to do before a new one is started.
                if idle {
                    self.retire(now, worker);
                }
                return;
            }
            _ => self.start_successor(now, worker),
        }
        let hand = &self.crew[&worker];
        if idle && (spent || hand.resting) {
            self.retire(now, worker);
        }
    }

    fn rest(&mut self, worker: WorkerId) {
        if let Some(hand) = self.crew.get_mut(&worker) {
            hand.resting = true;
        }
    }

    fn start_successor(&mut self, now: Instant, worker: WorkerId) {
        let at_once = u64::from(self.config.recycle.at_once);
        let there = self.crew.len() as u64;
        let under_way = there - self.places_taken();
        // Those that are being killed are still there.
        let full = there >= u64::from(self.config.processes) + at_once;
        if under_way >= at_once || full || !self.restarts.allows(now) {
            return;
        }
        let successor = self.start_worker();
        if let Some(hand) = self.crew.get_mut(&worker) {
            hand.successor = Some(successor);
        }
    }

    /// How many workers there are, a worker and its successor counted as one.
    pub(super) fn places_taken(&self) -> u64 {
        let replaced = |hand: &&Hand| {
            let successor = hand.successor.as_ref();
            successor.is_some_and(|successor| self.crew.contains_key(successor))
        };
        (self.crew.len() - self.crew.values().filter(replaced).count()) as u64
    }

    /// Lets those go that have had nothing to do for long enough.
    pub(super) fn let_idle_go(&mut self, now: Instant) {
        while let Some((worker, due)) = self.next_idle()
            && due <= now
        {
            self.release(now, worker);
        }
    }

    /// The worker that has had nothing to do for longest, if there are more than are kept, and when it
    /// may go.
    fn next_idle(&self) -> Option<(WorkerId, Instant)> {
        let patience = self.config.recycle.idle?;
        let ready = |hand: &&Hand| hand.phase == Phase::Ready;
        let there = self.crew.values().filter(ready).count();
        if there <= self.config.min_processes as usize {
            return None;
        }
        let idle = self.crew.iter().filter_map(|(worker, hand)| {
            let since = hand.idle_since.filter(|_| hand.phase == Phase::Ready)?;
            Some((since, *worker))
        });
        let (since, worker) = idle.min()?;
        Some((worker, since + patience))
    }

    /// When something in here is due.
    pub(super) fn recycle_due(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let tired = self.crew.values().filter_map(|hand| hand.tired_at).min();
        let idle = self.next_idle().map(|(_, due)| due);
        tired.into_iter().chain(idle).min()
    }
}
