//! A bee's process: the child's machine between the two directions of its link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mt_proto::{FromBee, Round, TaskId, TaskStatus, ToBee};

use crate::machine::{
    BUSY_STATUS,
    bee::{BeeEffect, BeeEvent, BeeMachine},
    parent::BeeId,
};

/// What bees are like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nature {
    /// The tasks that a bee does at once.
    pub(super) places: Option<u32>,
    /// The places that a bee says it has, if not those: it denies what is too much.
    pub(super) promised: Option<u32>,
    /// The bee can't be made.
    pub(super) barren: bool,
    /// The bee has no machine: the test speaks for it.
    pub(super) by_hand: bool,
    /// The bee has bees of its own.
    pub(super) is_parent: bool,
    /// A task holds the bee's thread from the first on: those that come after it are not begun.
    pub(super) held: bool,
}

impl Nature {
    pub(super) fn of(places: u32) -> Self {
        Self {
            places: Some(places),
            ..Self::default()
        }
    }
}

/// A task that runs.
#[derive(Debug)]
pub(super) struct Run {
    round: Round,
    pub(super) cancelled: bool,
}

#[derive(Debug)]
pub(super) struct Process {
    id: BeeId,
    /// `None` when the process is over, or is none.
    machine: Option<BeeMachine>,
    pub(super) nature: Nature,
    pub(super) to: VecDeque<ToBee>,
    pub(super) from: VecDeque<FromBee>,
    pub(super) running: BTreeMap<TaskId, Run>,
    /// The tasks that wait for the bee's thread, oldest first, each with its place among all that it was given.
    pub(super) waiting: VecDeque<(u64, TaskId, Round)>,
    given: u64,
    /// The questions among those: they and their cancels may wait besides.
    asked: u32,
    /// How many it has begun, as the page says that it shares with its parent.
    pub(super) started: u64,
    /// A task holds its thread.
    pub(super) held: bool,
    /// The thread is slow to begin the first one.
    pub(super) asleep: bool,
    /// The session has asked to hear when no task waits.
    watched: bool,
    /// What it heard of that and has not taken in.
    answers: u32,
    /// What the bee says does not come out of it any more, though it beats.
    pub(super) mute: bool,
    /// The process has exited or was killed; what it had sent is still on its way.
    pub(super) over: bool,
    /// A signal that kills it is on its way.
    pub(super) doomed: bool,
    /// The bee's own bees are dying.
    pub(super) buries: bool,
    heard_die: bool,
    /// The offers it has heard and not answered.
    offers: BTreeSet<(TaskId, Round)>,
}

impl Process {
    pub(super) fn new(id: BeeId, nature: Nature) -> Self {
        let machine = BeeMachine::new(nature.places);
        let machine = match nature.is_parent {
            true => machine.with_children(),
            false => machine,
        };
        let mut process = Self {
            id,
            machine: (!nature.barren && !nature.by_hand).then_some(machine),
            nature,
            to: VecDeque::new(),
            from: VecDeque::new(),
            running: BTreeMap::new(),
            waiting: VecDeque::new(),
            given: 0,
            asked: 0,
            started: 0,
            held: nature.held,
            asleep: false,
            watched: false,
            answers: 0,
            mute: false,
            over: nature.barren,
            doomed: false,
            buries: false,
            heard_die: false,
            offers: BTreeSet::new(),
        };
        process.act();
        process
    }

    pub(super) fn machine(&mut self) -> &mut BeeMachine {
        self.machine.as_mut().expect("it lives")
    }

    /// The parent's message goes into the link.
    pub(super) fn receive(&mut self, message: ToBee) {
        if self.nature.by_hand && matches!(message, ToBee::TaskInfo(_)) {
            // Whoever speaks for the bee has begun what it was given.
            self.started += 1;
        }
        if let ToBee::TaskInfo(info) = &message {
            self.asked += u32::from(info.name == BUSY_STATUS);
        }
        if !self.over && !self.nature.by_hand {
            self.to.push_back(message);
        }
        if let Some(places) = self.nature.places {
            // The cancel of a task that has ended meanwhile, the next task, and its cancel; once, a request to give back.
            let bound = 3 * places.max(self.nature.promised.unwrap_or(0)) + 2 + 2 * self.asked;
            let waiting = self.to.len();
            assert!(waiting <= bound as usize, "a queue grows: {:?}", self.to);
        }
    }

    /// Takes the parent's next message; false if there is none or nobody to take it.
    pub(super) fn hear(&mut self) -> bool {
        if self.machine.is_none() || self.mute {
            return false;
        }
        let Some(message) = self.to.pop_front() else {
            return false;
        };
        match &message {
            ToBee::NewTask { task_id, round } => {
                assert!(self.offers.insert((*task_id, *round)), "offered twice");
            }
            ToBee::Die => self.heard_die = true,
            _ => {}
        }
        self.happen(BeeEvent::Said(message));
        true
    }

    /// A task that runs tells how far it is.
    pub(super) fn progress(&mut self, task: TaskId) {
        self.happen(BeeEvent::Progress(task, bytes::Bytes::new()));
    }

    /// A task that runs ends: as it was told to, or well. One that held the bee's thread lets go of it.
    pub(super) fn end(&mut self, task: TaskId) {
        let run = self.running.remove(&task).expect("it runs");
        let status = match run.cancelled {
            true => TaskStatus::Cancelled,
            false => TaskStatus::Succeeded {
                returning_value: value(task, run.round, self.id).into(),
            },
        };
        self.happen(BeeEvent::Ended(task, status));
        if self.running.is_empty() {
            self.hold(false);
        }
    }

    /// Whether it was given this task and has not told of its end.
    pub(super) fn has(&self, task: TaskId) -> bool {
        let mut waiting = self.waiting.iter();
        self.running.contains_key(&task) || waiting.any(|&(_, waits, _)| waits == task)
    }

    /// Whether the bee is made, so that it says `ready`.
    pub(super) fn is_made(&self) -> bool {
        !self.nature.barren && !self.over
    }

    /// A task holds the bee's thread, or lets go of it; false if that changes nothing.
    pub(super) fn hold(&mut self, held: bool) -> bool {
        if self.machine.is_none() || self.held == held {
            return false;
        }
        self.held = held;
        if !held {
            while let Some(waits) = self.waiting.pop_front() {
                self.begin(waits);
            }
            self.answers += u32::from(std::mem::take(&mut self.watched));
        }
        true
    }

    /// The thread takes the oldest of the tasks that wait, which holds it from then on: what came before let go of it.
    /// The session hears before the last one that no other waits, if it has asked, and takes that in when it comes to
    /// it.
    pub(super) fn take_one(&mut self) {
        if self.waiting.len() == 1 && std::mem::take(&mut self.watched) {
            self.answers += 1;
        }
        let waits = self.waiting.pop_front().expect("one waits");
        self.begin(waits);
    }

    /// The session takes in what the thread has told: that no task waits. After it has asked again the answer is void.
    pub(super) fn take_answer(&mut self) -> bool {
        if self.answers == 0 || self.machine.is_none() {
            return false;
        }
        self.answers -= 1;
        if !self.watched {
            self.happen(BeeEvent::CaughtUp);
        }
        true
    }

    /// The session has looked twice, and the same task waits; false if none does.
    pub(super) fn fall_behind(&mut self) -> bool {
        let waiting = self.waiting.len() as u32;
        if self.machine.is_none() || waiting == 0 {
            return false;
        }
        self.watched = true;
        self.happen(BeeEvent::Behind(waiting));
        true
    }

    fn begin(&mut self, (place, task, round): (u64, TaskId, Round)) {
        assert!(place >= self.started, "begun in the order they were given");
        self.started = place + 1;
        let cancelled = false;
        let run = Run { round, cancelled };
        assert!(self.running.insert(task, run).is_none());
    }

    /// The last of the bee's own bees is gone.
    pub(super) fn children_gone(&mut self) {
        self.buries = false;
        self.happen(BeeEvent::ChildrenGone);
    }

    /// Dies: it loses what it had not read, and what it had said but for its first `kept` messages.
    pub(super) fn crash(&mut self, kept: usize) {
        self.over = true;
        self.machine = None;
        self.to.clear();
        self.running.clear();
        self.waiting.clear();
        self.buries = false;
        self.from.truncate(kept);
    }

    fn happen(&mut self, event: BeeEvent) {
        let handled = self.machine().handle(event);
        handled.expect("the parent makes sense");
        self.act();
    }

    /// Carries out what the machine wants.
    fn act(&mut self) {
        let Some(mut machine) = self.machine.take() else {
            return;
        };
        while let Some(effect) = machine.poll_effect() {
            assert!(!self.over, "nothing is done after the exit");
            self.carry_out(effect, &mut machine);
        }
        let taken = machine.places_taken();
        assert!(self.nature.places.is_none_or(|most| taken <= most as usize));
        assert!(!self.heard_die || taken == self.busy(), "reserved");
        if self.over {
            let last = self.from.back();
            assert!(matches!(last, Some(FromBee::Dead)), "the last word");
            assert_eq!(self.busy(), 0, "nothing owned at its end");
        } else {
            assert_eq!(self.offers.len(), 0, "every offer is answered");
            self.machine = Some(machine);
        }
    }

    /// The tasks that it has and that have not ended.
    fn busy(&self) -> usize {
        self.running.len() + self.waiting.len()
    }

    fn carry_out(&mut self, effect: BeeEffect, machine: &mut BeeMachine) {
        match effect {
            BeeEffect::Say(mut message) => {
                match &mut message {
                    FromBee::Ready { max_concurrency } => {
                        *max_concurrency = self.nature.promised.or(*max_concurrency);
                    }
                    FromBee::TaskAccepted { task_id, round }
                    | FromBee::TaskDenied { task_id, round } => {
                        let offered = self.offers.remove(&(*task_id, *round));
                        assert!(offered, "an answer to nothing");
                    }
                    _ => {}
                }
                let accepts = matches!(message, FromBee::TaskAccepted { .. });
                assert!(!self.heard_die || !accepts, "an accept after die");
                self.from.push_back(message);
            }
            BeeEffect::Start(info) => {
                let given = (self.given, info.task_id, info.round);
                self.given += 1;
                if info.name == BUSY_STATUS {
                    let returning_value = value(info.task_id, info.round, self.id).into();
                    let status = TaskStatus::Succeeded { returning_value };
                    let answered = machine.handle(BeeEvent::Ended(info.task_id, status));
                    return answered.expect("it runs");
                }
                // One has to be begun to hold the thread, unless that is not awake yet.
                if self.held && (self.asleep || !self.running.is_empty()) {
                    self.waiting.push_back(given);
                } else {
                    self.begin(given);
                }
            }
            BeeEffect::Cancel(task) => match self.running.get_mut(&task) {
                Some(run) => run.cancelled = true,
                None => {
                    self.waiting.retain(|&(_, waits, _)| waits != task);
                    let ended = BeeEvent::Ended(task, TaskStatus::Cancelled);
                    machine.handle(ended).expect("it was there");
                }
            },
            BeeEffect::GiveBack(most) => {
                let most = self.waiting.len().min(most as usize);
                let back = self.waiting.split_off(self.waiting.len() - most);
                let back = back.into_iter().map(|(_, task, _)| task).collect();
                let gave = BeeEvent::GaveBack(back, self.waiting.len() as u32);
                machine.handle(gave).expect("it was asked");
            }
            BeeEffect::Bury => {
                assert!(self.heard_die && self.busy() == 0, "too early");
                self.buries = true;
                let begun = machine.handle(BeeEvent::Burying);
                begun.expect("it was told to");
            }
            BeeEffect::Exit => {
                assert!(!self.buries, "she leaves her own bees behind");
                self.over = true;
            }
        }
    }
}

/// What a task returns: it tells which task, which round, and by whom.
pub(super) fn value(task: TaskId, round: Round, child: BeeId) -> String {
    format!("{}/{} by {}", task.0, round.0, child.0)
}
