//! Giving items out: who gets how many, and when a worker is started or sent home.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::WorkerId;

use super::{Dispatch, Effect, hand::Phase, machine::Mode};

impl Dispatch {
    /// Gives out what can be given out.
    pub(super) fn feed(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Running) || self.paused {
            return;
        }
        self.recycle(now);
        while self.wants_worker() && self.restarts.allows(now) {
            self.start_worker();
        }
        self.give_up_if_hopeless();
        self.feed_suspects();
        self.feed_items();
    }

    /// One worker for every item there is, up to the limit.
    pub(super) fn wants_worker(&self) -> bool {
        if !matches!(self.mode, Mode::Running) {
            return false;
        }
        let in_hand: u64 = self
            .crew
            .values()
            .map(|hand| u64::from(hand.in_hand()))
            .sum();
        let items = self.queue.items() + self.queue.suspects() as u64 + in_hand;
        let crew = self.crew.len() as u64;
        crew < u64::from(self.config.processes) && crew < items
    }

    /// Sends home who has had all the items it may have. Its place is free when it is gone.
    fn recycle(&mut self, now: Instant) {
        if self.config.items_per_worker.is_none() {
            return;
        }
        let spent = |worker: &&WorkerId| {
            let hand = &self.crew[worker];
            hand.phase == Phase::Ready && hand.quota == Some(0) && hand.in_hand() == 0
        };
        let tired: Vec<WorkerId> = self.crew.keys().filter(spent).copied().collect();
        for worker in tired {
            self.retire(now, worker);
        }
    }

    /// Gives suspects, each alone, to workers that hold nothing.
    fn feed_suspects(&mut self) {
        while self.queue.suspects() > 0 {
            let idle = |worker: &&WorkerId| {
                let hand = &self.crew[worker];
                hand.phase == Phase::Ready && hand.in_hand() == 0 && hand.room() > 0
            };
            let Some(worker) = self.crew.keys().find(idle).copied() else {
                return;
            };
            let Some(suspect) = self.queue.pop_suspect() else {
                return;
            };
            let run = suspect.to_run();
            if let Some(hand) = self.crew.get_mut(&worker) {
                hand.alone = Some(suspect.deaths);
                hand.give(run.clone());
            }
            self.effects.push_back(Effect::Send(worker, run));
        }
    }

    /// Deals items to the workers that hold the fewest, none more than its fair share.
    fn feed_items(&mut self) {
        while self.queue.items() > 0 {
            let Some(worker) = self.hungriest() else {
                return;
            };
            let share = self.fair_share();
            let Some(hand) = self.crew.get_mut(&worker) else {
                return;
            };
            let room = hand.room().min(share.saturating_sub(hand.in_hand()));
            if room == 0 {
                return;
            }
            let Some(run) = self.queue.pop(room) else {
                return;
            };
            hand.give(run.clone());
            self.effects.push_back(Effect::Send(worker, run));
        }
    }

    /// The ready worker with the fewest items that may be given more. While suspects wait, up to half
    /// of the workers are left to run dry so that they can take them.
    fn hungriest(&self) -> Option<WorkerId> {
        let ready = |hand: &super::hand::Hand| hand.phase == Phase::Ready;
        let reserved = match self.queue.suspects() {
            0 => 0,
            suspects => {
                let half = (self.crew.len() / 2).max(1);
                let busy_alone = self
                    .crew
                    .values()
                    .filter(|hand| hand.alone.is_some())
                    .count();
                suspects.min(half).saturating_sub(busy_alone)
            }
        };
        let max_pieces = self.config.max_pieces as usize;
        let mut open: Vec<(u32, WorkerId)> = self
            .crew
            .iter()
            .filter(|(_, hand)| ready(hand) && hand.room() > 0 && hand.pieces() < max_pieces)
            .map(|(worker, hand)| (hand.in_hand(), *worker))
            .collect();
        open.sort_unstable();
        open.get(reserved).map(|&(_, worker)| worker)
    }

    /// What each worker would hold if all items there are were dealt out evenly.
    fn fair_share(&self) -> u32 {
        let in_hand: u64 = self
            .crew
            .values()
            .map(|hand| u64::from(hand.in_hand()))
            .sum();
        let workers = (self.crew.len() as u64).max(1);
        u32::try_from((in_hand + self.queue.items()).div_ceil(workers)).unwrap_or(u32::MAX)
    }
}
