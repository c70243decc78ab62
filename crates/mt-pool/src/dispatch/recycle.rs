//! Fresh workers for used ones: after so many items, so long, so much memory; and fewer of them when
//! there is nothing to do.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;
use rand::RngExt as _;

use super::{
    Dispatch,
    worker_slot::{SlotPhase, WorkerSlot},
};

impl Dispatch {
    /// Takes note that a worker is ready to grow old; one that others had before is older.
    pub(super) fn on_birth(&mut self, now: Instant, worker: WorkerId) {
        let early = self.config.recycle.jitter * self.chance.random::<f64>();
        let age = self.config.recycle.age;
        if let Some(slot) = self.workers.get_mut(&worker) {
            slot.idle_since = Some(now);
            slot.turn_began = Some(now);
            let since = slot.ready_at.unwrap_or(now);
            slot.tired_at = age.map(|age| since + age.mul_f64(1.0 - early));
            slot.early = early;
        }
    }

    pub(super) fn replace_tired(&mut self, now: Instant) {
        if !self.config.recycle.wears() {
            return;
        }
        for worker in self.workers_that(|slot| slot.phase == SlotPhase::Ready && slot.tired) {
            self.replace(now, worker);
        }
    }

    pub(super) fn notice_tired(&mut self, now: Instant) {
        if !self.config.recycle.wears() {
            return;
        }
        let rss = self.config.recycle.rss_bytes;
        for slot in self.workers.values_mut() {
            let heavy = rss.is_some_and(|rss| slot.rss as f64 > rss as f64 * (1.0 - slot.early));
            let old = slot.tired_at.is_some_and(|at| at <= now);
            if slot.quota == Some(0) || heavy || old {
                slot.tired = true;
                slot.tired_at = None;
            }
        }
    }

    /// A tired worker goes on until its successor is ready, if it can, then finishes what it has, and
    /// goes.
    fn replace(&mut self, now: Instant, worker: WorkerId) {
        let phase_of = |worker: &WorkerId| self.workers.get(worker).map(|slot| slot.phase);
        let slot = &self.workers[&worker];
        let successor = slot.successor.and_then(|successor| phase_of(&successor));
        let spent = slot.quota == Some(0);
        let idle = slot.in_hand() == 0;
        match successor {
            Some(SlotPhase::Ready) => self.rest(worker),
            // It is on its way.
            Some(SlotPhase::Starting) => {}
            _ if self.queue.items() == 0 => {
                // Nothing is lost by waiting for more to do before a new one is started.
                if idle {
                    self.retire(now, worker);
                }
                return;
            }
            _ => self.start_successor(now, worker),
        }
        let slot = &self.workers[&worker];
        if idle && (spent || slot.resting) {
            self.retire(now, worker);
        }
    }

    fn rest(&mut self, worker: WorkerId) {
        if let Some(slot) = self.workers.get_mut(&worker) {
            slot.resting = true;
        }
    }

    fn start_successor(&mut self, now: Instant, worker: WorkerId) {
        let at_once = u64::from(self.config.recycle.at_once);
        let there = self.workers.len() as u64;
        let under_way = there - self.places_taken();
        // Those that are being killed are still there.
        let full = there >= u64::from(self.config.processes) + at_once;
        if under_way >= at_once || full || !self.restarts.allows(now) {
            return;
        }
        let successor = self.start_worker();
        if let Some(slot) = self.workers.get_mut(&worker) {
            slot.successor = Some(successor);
        }
    }

    /// How many workers there are, a worker and its successor counted as one.
    pub(super) fn places_taken(&self) -> u64 {
        if !self.config.recycle.wears() {
            return self.workers.len() as u64;
        }
        let replaced = |slot: &&WorkerSlot| {
            let successor = slot.successor.as_ref();
            successor.is_some_and(|successor| self.workers.contains_key(successor))
        };
        (self.workers.len() - self.workers.values().filter(replaced).count()) as u64
    }

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
        let ready = |slot: &&WorkerSlot| slot.phase == SlotPhase::Ready;
        let there = self.workers.values().filter(ready).count();
        if there <= self.config.min_processes as usize {
            return None;
        }
        let idle = self.workers.iter().filter_map(|(worker, slot)| {
            let since = slot.idle_since.filter(|_| slot.phase == SlotPhase::Ready)?;
            Some((since, *worker))
        });
        let (since, worker) = idle.min()?;
        Some((worker, since + patience))
    }

    pub(super) fn recycle_due(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let ages = self.config.recycle.age.is_some();
        let slots = self.workers.values().filter(|_| ages);
        let tired = slots.filter_map(|slot| slot.tired_at).min();
        let idle = self.next_idle().map(|(_, due)| due);
        tired.into_iter().chain(idle).min()
    }
}
