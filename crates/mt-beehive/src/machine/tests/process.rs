//! A bee's process: the child's machine between the two directions of its link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mt_proto::{FromBee, Round, TaskId, TaskStatus, ToBee};

use crate::machine::{
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
        if !self.over && !self.nature.by_hand {
            self.to.push_back(message);
        }
        if let Some(places) = self.nature.places {
            // The cancel of a task that has ended meanwhile, the next task, and its cancel.
            let bound = 3 * places.max(self.nature.promised.unwrap_or(0)) + 1;
            let waiting = self.to.len();
            assert!(waiting <= bound as usize, "a queue grows: {:?}", self.to);
        }
    }

    /// Takes the parent's next message; false if there is none or nobody to take it.
    pub(super) fn hear(&mut self) -> bool {
        if self.machine.is_none() {
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

    /// A task that runs ends: as it was told to, or well.
    pub(super) fn end(&mut self, task: TaskId) {
        let run = self.running.remove(&task).expect("it runs");
        let status = match run.cancelled {
            true => TaskStatus::Cancelled,
            false => TaskStatus::Succeeded {
                returning_value: value(task, run.round, self.id).into(),
            },
        };
        self.happen(BeeEvent::Ended(task, status));
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
            self.carry_out(effect);
        }
        let taken = machine.places_taken();
        assert!(self.nature.places.is_none_or(|most| taken <= most as usize));
        assert!(!self.heard_die || taken == self.running.len(), "reserved");
        if self.over {
            let last = self.from.back();
            assert!(matches!(last, Some(FromBee::Dead)), "the last word");
            assert!(self.running.is_empty(), "nothing owned at its end");
        } else {
            assert_eq!(self.offers.len(), 0, "every offer is answered");
            self.machine = Some(machine);
        }
    }

    fn carry_out(&mut self, effect: BeeEffect) {
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
                let (round, cancelled) = (info.round, false);
                let run = Run { round, cancelled };
                assert!(self.running.insert(info.task_id, run).is_none());
            }
            BeeEffect::Cancel(task) => {
                self.running.get_mut(&task).expect("it runs").cancelled = true;
            }
            BeeEffect::Bury => {
                assert!(self.heard_die && self.running.is_empty(), "too early");
                self.buries = true;
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
