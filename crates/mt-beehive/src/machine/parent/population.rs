//! How many children there are.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use mt_pool::supervision::DeathCause;
use mt_proto::ToBee;

use super::{
    BeeId, Config, Effect, ParentMachine,
    bee_slot::{BeeSlot, Phase},
};
use crate::error::{CancelReason, NoWorkers};

/// How many worker bees a hive has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Population {
    /// So many; the dead are replaced. With 0, tasks wait for the first [`Hive::spawn`](crate::Hive::spawn).
    Fixed(usize),
    /// As the seed has it: one more a period while there is something to do and the machine is not full,
    /// one less when it is; and at once one for every task that waits, up to `min`.
    Elastic {
        /// The fewest, at least 1. Default 1.
        min: usize,
        /// The most, at least `min`. By default the processors less one, and at least 1.
        max: usize,
        /// How often the number is looked at, at least 1 ms. Default 1 s (the seed's is 10 s).
        period: Duration,
    },
}

impl Population {
    /// How many there are to be at first.
    pub(super) fn first(self) -> usize {
        match self {
            Self::Fixed(bees) => bees,
            Self::Elastic { min, .. } => min,
        }
    }
}

impl ParentMachine {
    /// Whether a bee should be started.
    pub(super) fn wants_bee(&self) -> bool {
        let alive = |bee: &&BeeSlot| !matches!(bee.phase, Phase::Dying { .. });
        let over = self.interrupted || (self.dying && self.tasks.is_empty());
        !over && self.bees.values().filter(alive).count() < self.wanted
    }

    /// Starts the bees that are missing, under the budget. When it is spent and nobody is left, every task
    /// says why.
    pub(super) fn populate(&mut self, now: Instant) {
        while self.wants_bee() && self.restarts.allows(now) {
            let child = BeeId(self.next_bee);
            self.next_bee += 1;
            self.bees.insert(child, BeeSlot::new());
            self.effects.push_back(Effect::Spawn(child));
        }
        // While it is not dying, the queen may still want one again.
        let unwanted = self.dying && self.wanted == 0;
        let spent = self.wants_bee() && self.restarts.spent();
        if !self.bees.is_empty() || !(unwanted || spent) {
            return;
        }
        let why = match (unwanted, &self.last_loss) {
            (false, Some(loss)) => loss.clone(),
            _ => NoWorkers::Buried,
        };
        for task_id in self.tasks_that(|_| true) {
            self.cancel_now(task_id, CancelReason::NoWorkers(why.clone()));
        }
    }

    /// Whether no bee is started for now: the hive is interrupted, or none is left and the budget is spent.
    pub(crate) fn starts_none(&self) -> bool {
        let in_vain = self.bees.is_empty() && self.wants_bee() && self.restarts.spent();
        self.interrupted || in_vain
    }

    /// Who goes when this child is to go, or the one with the least to do; `None` if there is none such, or it
    /// goes already.
    pub(crate) fn who_goes(&self, child: Option<BeeId>) -> Option<BeeId> {
        let stays = |bee: &BeeSlot| matches!(bee.phase, Phase::Ready | Phase::Starting);
        if let Some(child) = child {
            return self.bees.get(&child).is_some_and(stays).then_some(child);
        }
        let staying = self.bees.iter().filter(|(_, bee)| stays(bee));
        staying.min_by_key(|(_, bee)| bee.owned).map(|(c, _)| *c)
    }

    /// Lets a child go when it has finished: this one, or the one with the least to do.
    pub(super) fn bury(&mut self, child: Option<BeeId>) {
        if let Some(child) = self.who_goes(child) {
            self.wanted = self.wanted.saturating_sub(1);
            self.tell_to_die(child);
        }
    }

    /// Tells a child to die, once; its grace runs when it has nothing left to do: see [`see_off`](Self::see_off).
    pub(super) fn tell_to_die(&mut self, child: BeeId) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        bee.told_to_die = true;
        match &mut bee.phase {
            Phase::Starting => {
                bee.excused = true;
                self.kill(child, DeathCause::Stopped);
            }
            Phase::Ready => {
                bee.phase = Phase::Dying { until: None };
                bee.excused = true;
                bee.asked = 0;
                self.say(child, ToBee::Die);
                self.withdraw_offers(child);
            }
            Phase::Dying { .. } | Phase::Killed => {}
        }
    }

    /// The hive dies, and what it has is cancelled.
    pub(super) fn on_abandon(&mut self, now: Instant) {
        self.dying = true;
        for task_id in self.tasks_that(|_| true) {
            self.on_cancel(now, task_id, CancelReason::HiveClosed);
        }
    }

    /// The grace of a dying child begins when it has nothing left to do, and anew when it has said that its own children
    /// are dying, and that it is dead.
    pub(super) fn see_off(&mut self, now: Instant) {
        let Config {
            exit_grace,
            bury_grace,
            ..
        } = self.config;
        for bee in self.bees.values_mut().filter(|bee| bee.may_go()) {
            if bee.phase == (Phase::Dying { until: None }) {
                let grace = if bee.buries() { bury_grace } else { exit_grace };
                let until = Some(now + grace);
                bee.phase = Phase::Dying { until };
            }
        }
    }

    /// The seed's rule, once a period.
    pub(super) fn on_period(&mut self, pressed: bool) {
        let Population::Elastic { min, max, .. } = self.config.population else {
            return;
        };
        let full = |bee: &BeeSlot| bee.phase == Phase::Ready && !bee.has_room_for(None);
        let busy = self.pending.len() > self.ghosts || self.bees.values().all(full);
        if pressed && self.wanted > min {
            self.bury(None);
        } else if !pressed && busy && self.wanted < max {
            self.wanted += 1;
        }
    }
}
