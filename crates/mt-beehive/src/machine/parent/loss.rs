//! Children that are gone, tasks that are to stop, and time that is over.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::BTreeSet, time::Instant};

use mt_pool::supervision::{Death, DeathCause};
use mt_proto::{Round, TaskId, ToBee};

use super::{
    BeeEnd, BeeId, Effect, ParentMachine,
    bee_slot::Phase,
    task::{Cancel, Task, TaskState},
};
use crate::error::{CancelReason, NoWorkers};

/// What a bee is killed for when a task of hers that was cancelled does not let go.
const OVERRUN: DeathCause = DeathCause::Overran;

impl ParentMachine {
    /// A child is gone for good: what it had been asked about goes on without it, what it was doing is
    /// tried again or given up.
    pub(super) fn on_gone(&mut self, now: Instant, child: BeeId, end: BeeEnd) {
        self.end_graces(now);
        let Some(mut bee) = self.bees.remove(&child) else {
            return;
        };
        if end.died_first {
            // What it was to be ended for did not end it.
            bee.condemned.clear();
        }
        let is_condemned = !bee.condemned.is_empty();
        let BeeEnd { death, started, .. } = end;
        self.stats.bees_lost += u64::from(!bee.told_to_die);
        self.withdraw_offers(child);
        let owned = |task: &Task| task.state == TaskState::Owned { child };
        // A question was answered or not: no bee dies of it.
        let not_begun = |task: &Task| task.is_question || task.place >= started;
        for task_id in self.tasks_that(|task| owned(task) && not_begun(task)) {
            self.take_back(task_id, Some(&death));
        }
        let begun = self.tasks_that(owned);
        let shared = begun.len();
        for task_id in begun {
            let overran = bee.condemned.contains(&task_id);
            let innocent = is_condemned && !overran;
            self.lose(task_id, innocent, shared, &death);
        }
        if !bee.excused && !is_condemned && shared == 0 && !bee.fruitful {
            self.restarts.on_fruitless(now);
            let died = NoWorkers::Died { death };
            self.last_loss = Some(end.unmade.map_or(died, |unmade| *unmade));
        }
    }

    /// A child has not begun a task and never will: somebody else does it, and nothing of it counts.
    fn take_back(&mut self, task_id: TaskId, death: Option<&Death>) {
        self.forget_grace(task_id);
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        task.begun -= 1;
        if let Some(cancel) = &task.cancel {
            let reason = cancel.reason.clone();
            return self.cancel_now(task_id, reason);
        }
        if let Some(reason) = self.interruption(task_id, death) {
            return self.cancel_now(task_id, reason);
        }
        self.put_back(task_id);
    }

    /// A child gives a task back that it has not begun.
    pub(super) fn on_returned(&mut self, child: BeeId, task_id: TaskId, round: Round) {
        if !self.owns(child, task_id, round) {
            self.stale += 1;
            return;
        }
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.owned -= 1;
        }
        self.take_back(task_id, None);
    }

    fn lose(&mut self, task_id: TaskId, innocent: bool, shared: usize, death: &Death) {
        let was_seasoned = self.forget_grace(task_id);
        let limit = self.config.crash_limit;
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        match &task.cancel {
            // Its bee was dying before its time was over.
            Some(cancel) if cancel.died_first && death.cause != OVERRUN => {
                return self.give_up(task_id, death);
            }
            Some(cancel) => {
                let reason = cancel.reason.clone();
                return self.cancel_now(task_id, reason);
            }
            // It may still be at it.
            None if death.cause == DeathCause::OutOfReach => return self.give_up(task_id, death),
            None => {}
        }
        // With a limit of one it must not be started twice, whoever is to blame.
        task.attempts += u32::from(!innocent || limit == 1);
        if was_seasoned && !innocent {
            task.doubled += u32::from(task.company.is_some());
            // Others have joined it, and one death costs one task at most.
            if shared > 1 && limit > 1 {
                task.attempts = task.attempts.min(limit - 1);
            }
        }
        let attempts = task.attempts;
        if attempts >= limit {
            let death = death.clone();
            return self.cancel_now(task_id, CancelReason::WorkerLost { death, attempts });
        }
        if let Some(reason) = self.interruption(task_id, Some(death)) {
            return self.cancel_now(task_id, reason);
        }
        if !innocent {
            let company = self.company(shared, attempts);
            if let Some(task) = self.tasks.get_mut(&task_id) {
                task.company = Some(company);
            }
        }
        self.put_back(task_id);
    }

    /// The end of a task that was begun by a bee which is lost, and is not to be begun again.
    fn give_up(&mut self, task_id: TaskId, death: &Death) {
        if let Some(task) = self.tasks.get(&task_id) {
            let (death, attempts) = (death.clone(), task.attempts + 1);
            self.cancel_now(task_id, CancelReason::WorkerLost { death, attempts });
        }
    }

    /// The children that have tasks whose time is just over. Whether one of them is dying is to be told by
    /// [`Event::Dying`](super::Event::Dying) before [`settle`](Self::settle): how such a task has ended depends on it.
    pub(crate) fn late_bees(&self, now: Instant) -> BTreeSet<BeeId> {
        let due = self.due.iter().take_while(|(due, _)| *due <= now);
        let late = due.filter_map(|(_, task_id)| self.tasks.get(task_id));
        let owner = |task: &Task| match task.state {
            TaskState::Owned { child } if task.cancel.is_none() => Some(child),
            _ => None,
        };
        late.filter_map(owner).collect()
    }

    /// A child is dying: what it has ends with it, whatever time is over meanwhile.
    pub(super) fn on_dying(&mut self, child: BeeId) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.is_dying = true;
        }
    }

    /// A task is to stop: at once if nobody has it, otherwise when its bee says so or is gone.
    pub(super) fn on_cancel(&mut self, now: Instant, task_id: TaskId, reason: CancelReason) {
        let until = now + self.config.cancel_grace;
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        if task.cancel.is_some() {
            return;
        }
        let round = task.round;
        match &task.state {
            TaskState::Owned { child } => {
                let child = *child;
                let before = task.due();
                let is_late = matches!(reason, CancelReason::Deadline { .. });
                let is_dying = self.bees.get(&child).is_some_and(|bee| bee.is_dying);
                task.cancel = Some(Box::new(Cancel {
                    reason,
                    until,
                    died_first: is_late && is_dying,
                }));
                if let Some(before) = before {
                    self.due.remove(&(before, task_id));
                }
                self.due.insert((until, task_id));
                self.say(child, ToBee::TaskCancel { task_id, round });
            }
            TaskState::Offered(offer) => {
                // Those that have not answered are told when they do.
                for child in offer.accepted.clone() {
                    self.turn_down(child, task_id, round);
                }
                self.cancel_now(task_id, reason);
            }
            TaskState::Pending => self.cancel_now(task_id, reason),
        }
    }

    /// Cancels tasks whose time is over, and kills bees that do not let go of cancelled ones or do not go.
    pub(super) fn on_deadlines(&mut self, now: Instant) {
        while let Some(&(due, task_id)) = self.due.first()
            && due <= now
        {
            self.due.pop_first();
            let Some(task) = self.tasks.get(&task_id) else {
                continue;
            };
            match (&task.cancel, &task.state) {
                (Some(_), TaskState::Owned { child }) => self.condemn(*child, task_id),
                _ => {
                    let limit = task.limit.unwrap_or_default();
                    self.on_cancel(now, task_id, CancelReason::Deadline { limit });
                }
            }
        }
        for child in self.children_that(|bee| bee.due().is_some_and(|due| due <= now)) {
            self.kill(child, DeathCause::Lingered);
        }
    }

    /// Kills a child for a task that has overrun its time.
    fn condemn(&mut self, child: BeeId, task_id: TaskId) {
        // One that is killed for something else already is not excused by this.
        if let Some(bee) = self.bees.get_mut(&child)
            && bee.phase != Phase::Killed
        {
            bee.condemned.insert(task_id);
        }
        self.kill(child, OVERRUN);
    }

    /// Kills a child, once. What it holds stays with it until it is gone; what it only wanted goes to others.
    pub(super) fn kill(&mut self, child: BeeId, cause: DeathCause) {
        if let Some(bee) = self.bees.get_mut(&child)
            && bee.phase != Phase::Killed
        {
            bee.phase = Phase::Killed;
            bee.asked = 0;
            self.effects.push_back(Effect::Kill(child, cause));
            self.withdraw_offers(child);
        }
    }
}
