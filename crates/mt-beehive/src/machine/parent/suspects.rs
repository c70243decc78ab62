//! Tasks whose bee has died while it had them: one of them may have killed it, and must not take others along
//! again.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Suspects go to bees that are set aside for them, few at once: after the death of a bee with n tasks the root of
//! n, and in the last attempt each is alone. So with the default limit of three a task that kills whoever does
//! it is found among a thousand by three deaths, and nobody else is given up for it.

use std::time::Instant;

use mt_proto::TaskId;

use super::{
    BeeId, ParentMachine,
    bee_slot::{Aside, BeeSlot, Phase},
    task::TaskState,
};

impl ParentMachine {
    /// How many tasks a bee may have at once that is given one of `shared` tasks which have seen a bee die,
    /// for the `attempts`-th time.
    pub(super) fn company(&self, shared: usize, attempts: u32) -> usize {
        let last = attempts + 1 >= self.config.crash_limit;
        if last { 1 } else { shared.isqrt().max(1) }
    }

    /// A suspect has begun.
    pub(super) fn set_grace(&mut self, task_id: TaskId) {
        let Some((task, now)) = self.tasks.get_mut(&task_id).zip(self.now) else {
            return;
        };
        let doubled = 1_u32.checked_shl(task.doubled).unwrap_or(u32::MAX);
        let grace = self.config.suspect_grace.saturating_mul(doubled);
        task.grace = now.checked_add(grace);
        self.graces.extend(task.grace.map(|due| (due, task_id)));
    }

    /// A task is its bee's no longer. Whether it was seasoned.
    pub(super) fn forget_grace(&mut self, task_id: TaskId) -> bool {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return false;
        };
        if let Some(due) = task.grace.take() {
            self.graces.remove(&(due, task_id));
        }
        let was_seasoned = std::mem::take(&mut task.seasoned);
        if was_seasoned
            && let TaskState::Owned { child } = task.state
            && let Some(bee) = self.bees.get_mut(&child)
        {
            bee.seasoned -= 1;
        }
        was_seasoned
    }

    pub(super) fn graces_due(&self) -> Option<Instant> {
        let bees = self.bees.values().filter_map(BeeSlot::finishing_due);
        let tasks = self.graces.first().map(|(due, _)| *due);
        bees.chain(tasks).min()
    }

    /// Lets others join the tasks that have run for long enough.
    pub(super) fn end_graces(&mut self, now: Instant) {
        while let Some(&(due, task_id)) = self.graces.first()
            && due <= now
        {
            self.graces.pop_first();
            self.season(task_id);
        }
        let is_due = |bee: &BeeSlot| bee.finishing_due().is_some_and(|due| due <= now);
        for child in self.children_that(is_due) {
            for task_id in self.tasks_that(|task| task.state == TaskState::Owned { child }) {
                self.season(task_id);
            }
            if let Some(bee) = self.bees.get_mut(&child) {
                bee.aside = Some(Aside::Finishing(None));
            }
        }
    }

    fn season(&mut self, task_id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&task_id)
            && let TaskState::Owned { child } = task.state
            && !task.seasoned
        {
            task.seasoned = true;
            if let Some(bee) = self.bees.get_mut(&child) {
                bee.seasoned += 1;
            }
        }
    }

    /// Finds bees for the suspects that nobody is asked about, oldest first.
    pub(super) fn deal_suspects(&mut self) {
        self.set_aside();
        while let Some(&task_id) = self.suspects.front() {
            if !self.hand_out(task_id) {
                return;
            }
            self.suspects.pop_front();
        }
    }

    /// Sets bees aside as long as suspects wait: all, or half of them while others wait as well. They get
    /// nothing else, and nothing at all before they have finished what they had.
    fn set_aside(&mut self) {
        let wanted = self.wanted_aside();
        let grace = self.config.suspect_grace;
        let until = self.now.and_then(|now| now.checked_add(grace));
        let mut aside = 0;
        // One that has suspects keeps to them. One that has none yet goes back to the others if it is too many:
        // what it would have to finish may take for ever.
        for finishing in [false, true] {
            let ready = self.bees.values_mut().filter(|bee| bee.is_ready());
            for bee in ready.filter(|bee| bee.is_aside(finishing)) {
                let wanted = aside < wanted;
                if finishing && !wanted {
                    bee.aside = None;
                }
                bee.on_idle(wanted);
                aside += usize::from(bee.aside.is_some());
            }
        }
        while aside < wanted {
            let free = |(_, bee): &(&BeeId, &mut BeeSlot)| bee.is_ready() && bee.aside.is_none();
            let free = self.bees.iter_mut().filter(free);
            let Some((_, bee)) = free.min_by_key(|(_, bee)| bee.owned + bee.asked) else {
                return;
            };
            bee.set_aside(until);
            aside += 1;
        }
    }

    fn wanted_aside(&self) -> usize {
        let ready = self.bees.values().filter(|bee| bee.is_ready()).count();
        let others_wait = self.pending.len() > self.ghosts;
        let most = if others_wait {
            (ready / 2).max(1)
        } else {
            ready
        };
        most.min(self.suspects.len())
    }
}

impl BeeSlot {
    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready && !self.silent
    }

    fn is_aside(&self, finishing: bool) -> bool {
        let is_finishing = |aside: Aside| matches!(aside, Aside::Finishing(_));
        self.aside
            .is_some_and(|aside| is_finishing(aside) == finishing)
    }

    fn set_aside(&mut self, until: Option<Instant>) {
        self.aside = Some(Aside::Finishing(until));
        self.on_idle(true);
    }

    /// When what it had before it was set aside is let alone.
    fn finishing_due(&self) -> Option<Instant> {
        match self.aside {
            Some(Aside::Finishing(until)) if self.is_ready() => until,
            _ => None,
        }
    }

    /// With nothing to do but what is let alone it is free for any suspects, or for everything when there are none.
    fn on_idle(&mut self, suspects_wait: bool) {
        if self.owned == self.seasoned && self.asked == 0 {
            self.aside = suspects_wait.then_some(Aside::Free(usize::MAX));
        }
    }

    /// Whether it may be asked about one more task that wants at most so many beside each other, or given it.
    pub(super) fn has_room_for(&self, company: Option<usize>) -> bool {
        match (company, self.aside) {
            (None, None) => self.has_place(),
            (Some(company), Some(Aside::Free(at_once))) => {
                let fresh = self.owned + self.asked - self.seasoned;
                self.has_place() && fresh < at_once.min(company)
            }
            _ => false,
        }
    }

    /// The bee has been asked about such a task, or was given one.
    pub(super) fn on_suspect(&mut self, company: Option<usize>) {
        if let (Some(company), Some(Aside::Free(at_once))) = (company, &mut self.aside) {
            *at_once = company.min(*at_once);
        }
    }
}
