//! Offers, answers, and who gets a task.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! The first that wants a task gets it, unless somebody with less to do has not answered yet: all answer
//! soon, or are gone. (The first to answer wins in the seed, which gives one of two bees four fifths of the
//! tasks.)

use mt_proto::{Round, TaskId, TaskInfo, ToBee};

use super::{ChildId, Dispatch, Parent, bee::Phase, task::State};

impl Parent {
    /// Finds bees for the tasks that nobody is asked about.
    pub(super) fn deal(&mut self) {
        while let Some(&task_id) = self.pending.front() {
            let dealt = match self.config.dispatch {
                Dispatch::Auction => self.offer(task_id),
                Dispatch::Credit => self.assign(task_id),
            };
            if !dealt {
                return;
            }
            self.pending.pop_front();
        }
    }

    /// Asks all that have room whether they want a task; false if there is none.
    fn offer(&mut self, task_id: TaskId) -> bool {
        let asked = self.children_that(super::bee::Bee::has_room);
        let Some(task) = self.tasks.get_mut(&task_id).filter(|_| !asked.is_empty()) else {
            return false;
        };
        task.round = Round(task.round.0 + 1);
        let round = task.round;
        task.state = State::Offered {
            asked: asked.iter().copied().collect(),
            accepted: Default::default(),
        };
        for child in asked {
            if let Some(bee) = self.bees.get_mut(&child) {
                bee.asked += 1;
            }
            self.say(child, ToBee::NewTask { task_id, round });
        }
        true
    }

    /// Gives a task to the bee with the most room; false if there is none.
    fn assign(&mut self, task_id: TaskId) -> bool {
        let room = self.bees.iter().filter(|(_, bee)| bee.has_room());
        let Some((&child, _)) = room.min_by_key(|(_, bee)| bee.owned.len()) else {
            return false;
        };
        if let Some(task) = self.tasks.get_mut(&task_id) {
            task.round = Round(task.round.0 + 1);
        }
        self.hand_over(task_id, child);
        true
    }

    /// A child that has just become ready is asked about everything that is on offer.
    pub(super) fn join(&mut self, child: ChildId) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        let mut offers = Vec::new();
        for (&task_id, task) in &mut self.tasks {
            if let State::Offered { asked, .. } = &mut task.state
                && bee.has_room()
                && asked.insert(child)
            {
                bee.asked += 1;
                let round = task.round;
                offers.push(ToBee::NewTask { task_id, round });
            }
        }
        for offer in offers {
            self.say(child, offer);
        }
    }

    /// A child wants a task.
    pub(super) fn on_accepted(&mut self, child: ChildId, task_id: TaskId, round: Round) {
        let mut current = false;
        if let Some(task) = self.tasks.get_mut(&task_id)
            && task.round == round
            && let State::Offered { asked, accepted } = &mut task.state
            && asked.remove(&child)
        {
            accepted.insert(child);
            current = true;
        }
        if current {
            self.choose(task_id);
        } else {
            self.turn_down(child, task_id, round);
        }
    }

    pub(super) fn on_denied(&mut self, child: ChildId, task_id: TaskId, round: Round) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.asked = bee.asked.saturating_sub(1);
        }
        if let Some(task) = self.tasks.get_mut(&task_id)
            && task.round == round
            && let State::Offered { asked, .. } = &mut task.state
        {
            asked.remove(&child);
            self.choose(task_id);
        }
    }

    /// Answers an accept with no.
    fn turn_down(&mut self, child: ChildId, task_id: TaskId, round: Round) {
        let Some(bee) = self.bees.get_mut(&child) else {
            return;
        };
        bee.asked = bee.asked.saturating_sub(1);
        // One that was told to die has dropped its accepts itself.
        if bee.phase == Phase::Ready {
            self.say(child, ToBee::TaskTaken { task_id, round });
        }
    }

    /// Decides who gets an offered task, if that can be decided; puts it back when nobody wants it.
    pub(super) fn choose(&mut self, task_id: TaskId) {
        let Some(task) = self.tasks.get(&task_id) else {
            return;
        };
        let State::Offered { asked, accepted } = &task.state else {
            return;
        };
        let load = |child: &ChildId| {
            self.bees
                .get(child)
                .map_or(usize::MAX, |bee| bee.owned.len())
        };
        let best = accepted.iter().copied().min_by_key(load);
        let Some(best) = best else {
            if asked.is_empty() {
                self.put_back(task_id);
            }
            return;
        };
        let lighter = asked.iter().any(|child| load(child) < load(&best));
        if lighter {
            return;
        }
        let (others, round) = (accepted.clone(), task.round);
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
            task.state = State::Pending;
            let older = self
                .pending
                .iter()
                .take_while(|&&pending| pending < task_id);
            let at = older.count();
            self.pending.insert(at, task_id);
        }
    }

    /// Gives a task to a child.
    fn hand_over(&mut self, task_id: TaskId, child: ChildId) {
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        task.state = State::Owned { child };
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
            bee.owned.insert(task_id);
        }
        self.say(child, ToBee::TaskInfo(info));
    }

    /// Withdraws whatever is on offer to a child that may take no more.
    pub(super) fn withdraw_offers(&mut self, child: ChildId) {
        let mut to_choose = Vec::new();
        for (task_id, task) in &mut self.tasks {
            if let State::Offered { asked, accepted } = &mut task.state
                && (asked.remove(&child) | accepted.remove(&child))
            {
                to_choose.push(*task_id);
            }
        }
        for task_id in to_choose {
            self.choose(task_id);
        }
    }
}
