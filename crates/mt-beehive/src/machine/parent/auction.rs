//! Offers, answers, and who gets a task.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! The first that wants a task gets it, unless somebody with less to do has not answered yet: all answer
//! soon, or are gone. (The first to answer wins in the seed, which gives one of two bees four fifths of the
//! tasks.)

use mt_proto::{Round, TaskId, TaskInfo, ToBee};

use super::{
    BeeId, Dispatch, Effect, ParentMachine,
    bee_slot::{BeeSlot, Phase},
    task::{Offer, Task, TaskState, take_out},
};

impl ParentMachine {
    /// Finds bees for the tasks that nobody is asked about.
    pub(super) fn deal(&mut self) {
        self.deal_questions();
        self.deal_suspects();
        while let Some(&task_id) = self.pending.front() {
            if !self.tasks.contains_key(&task_id) {
                // It was resolved while it waited.
                self.pending.pop_front();
                self.ghosts -= 1;
                continue;
            }
            if !self.hand_out(task_id) {
                return;
            }
            self.pending.pop_front();
        }
    }

    /// Gives each question to the bee with the fewest tasks, whatever holds that bee's thread: nobody needs to be
    /// asked who has room.
    fn deal_questions(&mut self) {
        while let Some(&task_id) = self.questions.front() {
            if !self.give(task_id, BeeSlot::is_ready) {
                return;
            }
            self.questions.pop_front();
        }
    }

    /// Offers or gives a task; false if there is nobody for it.
    pub(super) fn hand_out(&mut self, task_id: TaskId) -> bool {
        match self.config.dispatch {
            Dispatch::Auction => self.offer(task_id),
            Dispatch::Credit => self.assign(task_id),
        }
    }

    /// Asks all that have room whether they want a task; false if there is none.
    fn offer(&mut self, task_id: TaskId) -> bool {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return false;
        };
        let round = Round(task.round.0 + 1);
        let mut offer = Offer::default();
        let company = task.company;
        let with_room = |(_, bee): &(&BeeId, &mut BeeSlot)| bee.has_room_for(company);
        for (&child, bee) in self.bees.iter_mut().filter(with_room) {
            offer.asked.push(child);
            bee.on_asked(self.now);
            bee.on_suspect(company);
            let message = ToBee::NewTask { task_id, round };
            self.effects.push_back(Effect::Say(child, message));
        }
        if offer.asked.is_empty() {
            return false;
        }
        task.round = round;
        task.state = TaskState::Offered(offer);
        true
    }

    /// Gives a task to the bee with the most room; false if there is none.
    fn assign(&mut self, task_id: TaskId) -> bool {
        let company = self.tasks.get(&task_id).and_then(|task| task.company);
        self.give(task_id, |bee| bee.has_room_for(company))
    }

    /// Gives a task to the bee with the fewest among these, without asking; false if there is none.
    fn give(&mut self, task_id: TaskId, may_have: impl Fn(&BeeSlot) -> bool) -> bool {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return false;
        };
        let may_have = |(_, bee): &(&BeeId, &mut BeeSlot)| may_have(bee);
        let among = self.bees.iter_mut().filter(may_have);
        let Some((&child, bee)) = among.min_by_key(|(_, bee)| bee.owned) else {
            return false;
        };
        bee.on_suspect(task.company);
        task.round = Round(task.round.0 + 1);
        self.hand_over(task_id, child);
        true
    }

    /// A child that has just become ready is asked about everything that is on offer.
    pub(super) fn join(&mut self, child: BeeId) {
        for task_id in self.tasks_that(|task| task.is_offered() && task.company.is_none()) {
            let bee = self.bees.get_mut(&child);
            let Some(bee) = bee.filter(|bee| bee.has_room_for(None)) else {
                return;
            };
            if let Some(task) = self.tasks.get_mut(&task_id)
                && let round = task.round
                && let Some(offer) = task.offer()
            {
                offer.asked.push(child);
                bee.on_asked(self.now);
                self.say(child, ToBee::NewTask { task_id, round });
            }
        }
    }

    /// A child has answered an offer.
    fn on_answer(&mut self, child: BeeId) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.unanswered = bee.unanswered.saturating_sub(1);
            bee.on_answer(self.now);
        }
    }

    /// A child wants a task.
    pub(super) fn on_accepted(&mut self, child: BeeId, task_id: TaskId, round: Round) {
        self.on_answer(child);
        if let Some(offer) = self.offer_of(task_id, round)
            && take_out(&mut offer.asked, child)
        {
            offer.accepted.push(child);
            self.choose(task_id);
        } else {
            self.count_if_stale(task_id, round);
            self.turn_down(child, task_id, round);
        }
    }

    /// The offer of a task in this round, while it is open.
    fn offer_of(&mut self, task_id: TaskId, round: Round) -> Option<&mut Offer> {
        let task = self.tasks.get_mut(&task_id);
        task.filter(|task| task.round == round)?.offer()
    }

    /// An answer to an offer of an earlier round.
    fn count_if_stale(&mut self, task_id: TaskId, round: Round) {
        let task = self.tasks.get(&task_id);
        self.stale += u64::from(task.is_some_and(|task| task.round != round));
    }

    pub(super) fn on_denied(&mut self, child: BeeId, task_id: TaskId, round: Round) {
        self.on_answer(child);
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.on_answered(true);
        }
        self.count_if_stale(task_id, round);
        if let Some(offer) = self.offer_of(task_id, round) {
            take_out(&mut offer.asked, child);
            self.choose(task_id);
        }
    }

    /// Answers an accept with no.
    pub(super) fn turn_down(&mut self, child: BeeId, task_id: TaskId, round: Round) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        bee.on_answered(false);
        // One that was told to die has dropped its accepts itself.
        if bee.phase == Phase::Ready {
            self.say(child, ToBee::TaskTaken { task_id, round });
        }
    }

    /// Decides who gets an offered task, if that can be decided; puts it back when nobody wants it.
    pub(super) fn choose(&mut self, task_id: TaskId) {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        let round = task.round;
        let Some(offer) = task.offer() else {
            return;
        };
        let bees = &self.bees;
        let load = |child: &BeeId| bees.get(child).map_or(usize::MAX, |bee| bee.owned);
        let accepted = offer.accepted.iter().copied();
        let Some(best) = accepted.min_by_key(|child| (load(child), *child)) else {
            if offer.asked.is_empty() {
                self.put_back(task_id);
            }
            return;
        };
        let lighter = offer.asked.iter().any(|child| load(child) < load(&best));
        if lighter {
            return;
        }
        let others = std::mem::take(&mut offer.accepted);
        for child in others.into_iter().filter(|&child| child != best) {
            self.turn_down(child, task_id, round);
        }
        if let Some(bee) = self.bees.get_mut(&best) {
            bee.asked = bee.asked.saturating_sub(1);
        }
        self.hand_over(task_id, best);
    }

    /// Nobody is asked about it any more; it goes before all others, being older.
    pub(super) fn put_back(&mut self, task_id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&task_id) {
            task.state = TaskState::Pending;
            let line = task.line();
            let line = self.line(line);
            let at = line.partition_point(|&waiting| waiting < task_id);
            line.insert(at, task_id);
        }
    }

    /// Gives a task to a child.
    fn hand_over(&mut self, task_id: TaskId, child: BeeId) {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        task.state = TaskState::Owned { child };
        self.stats.begun_again += u64::from(task.begun > 0);
        task.begun += 1;
        let left = task.deadline.zip(self.now);
        let info = TaskInfo {
            task_id,
            round: task.round,
            name: task.name.clone(),
            args: task.args.clone(),
            deadline: left.map(|(deadline, now)| deadline.saturating_duration_since(now)),
            attempt: task.begun,
        };
        if let Some(bee) = self.bees.get_mut(&child) {
            task.place = bee.given;
            bee.given += 1;
            if bee.owned == 0 {
                bee.quiet_since = self.now;
            }
            bee.owned += 1;
        }
        if task.company.is_some() {
            self.set_grace(task_id);
        }
        self.say(child, ToBee::TaskInfo(info));
    }

    /// A child that says nothing holds nobody up: what it was asked about goes on without it, and what it
    /// wanted goes to others. What it has it keeps.
    pub(super) fn on_silent(&mut self, child: BeeId, silent: bool) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        bee.silent = silent;
        // Who is stopped can't answer. What it owes then, it owes from when it goes on.
        bee.on_answer(self.now);
        if silent && bee.phase == Phase::Ready {
            self.release_offers(child);
        }
    }

    /// What a child was asked about goes on without it, and what it wanted goes to others.
    pub(super) fn release_offers(&mut self, child: BeeId) {
        for task_id in self.tasks_that(Task::is_offered) {
            if let Some(task) = self.tasks.get_mut(&task_id)
                && let round = task.round
                && let Some(offer) = task.offer()
            {
                // One that it has not answered it may still accept, and is answered then.
                let asked = take_out(&mut offer.asked, child);
                if take_out(&mut offer.accepted, child) {
                    self.turn_down(child, task_id, round);
                } else if !asked {
                    continue;
                }
                self.choose(task_id);
            }
        }
    }

    /// Withdraws whatever is on offer to a child that may take no more.
    pub(super) fn withdraw_offers(&mut self, child: BeeId) {
        for task_id in self.tasks_that(Task::is_offered) {
            if let Some(offer) = self.tasks.get_mut(&task_id).and_then(Task::offer)
                && (take_out(&mut offer.asked, child) | take_out(&mut offer.accepted, child))
            {
                self.choose(task_id);
            }
        }
    }
}
