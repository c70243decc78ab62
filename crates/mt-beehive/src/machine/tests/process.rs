//! A bee's process: the child's machine between the two directions of its link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mt_proto::{FromBee, Round, TaskId, TaskStatus, ToBee};

use crate::machine::{
    bee::{BeeMachine, Effect, Event},
    parent::ChildId,
};

/// What bees are like.
#[derive(Debug, Clone, Copy)]
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
            promised: None,
            barren: false,
            by_hand: false,
            is_parent: false,
        }
    }
}

/// A task that runs.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) round: Round,
    pub(super) cancelled: bool,
}

#[derive(Debug)]
pub(super) struct Process {
    id: ChildId,
    child: Option<BeeMachine>,
    nature: Nature,
    pub(super) to: VecDeque<ToBee>,
    pub(super) from: VecDeque<FromBee>,
    pub(super) running: BTreeMap<TaskId, Segment>,
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
    pub(super) fn new(id: ChildId, nature: Nature) -> Self {
        let mut process = Self {
            id,
            child: None,
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
        if !nature.barren && !nature.by_hand {
            let child = BeeMachine::new(nature.places);
            process.child = Some(match nature.is_parent {
                true => child.with_children(),
                false => child,
            });
            process.act();
        }
        process
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
        let Some(child) = self.child.as_mut() else {
            return false;
        };
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
        let heard = child.handle(Event::Said(message));
        heard.expect("the parent makes sense");
        self.act();
        true
    }

    /// A task that runs tells how far it is.
    pub(super) fn progress(&mut self, task: TaskId) {
        let child = self.child.as_mut().expect("it lives");
        let progress = child.handle(Event::Progress(task, bytes::Bytes::new()));
        progress.expect("its own");
        self.act();
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
        let child = self.child.as_mut().expect("it lives");
        child.handle(Event::Ended(task, status)).expect("its own");
        self.act();
    }

    /// The last of the bee's own bees is gone.
    pub(super) fn children_gone(&mut self) {
        self.buries = false;
        let child = self.child.as_mut().expect("it lives");
        child.handle(Event::ChildrenGone).expect("its own");
        self.act();
    }

    /// Dies: it loses what it had not read, and what it had said but for its first `kept` messages.
    pub(super) fn crash(&mut self, kept: usize) {
        self.over = true;
        self.child = None;
        self.to.clear();
        self.running.clear();
        self.buries = false;
        self.from.truncate(kept);
    }

    /// Carries out what the machine wants.
    fn act(&mut self) {
        let Some(child) = self.child.as_mut() else {
            return;
        };
        while let Some(effect) = child.poll_effect() {
            assert!(!self.over, "nothing is done after the exit");
            match effect {
                Effect::Say(message) => {
                    check_said(&message, self.heard_die, &mut self.offers);
                    let message = match message {
                        FromBee::Ready { max_concurrency } => FromBee::Ready {
                            max_concurrency: self.nature.promised.or(max_concurrency),
                        },
                        message => message,
                    };
                    self.from.push_back(message);
                }
                Effect::Start(info) => {
                    let (round, cancelled) = (info.round, false);
                    let run = Segment { round, cancelled };
                    assert!(self.running.insert(info.task_id, run).is_none());
                }
                Effect::Cancel(task) => {
                    self.running.get_mut(&task).expect("it runs").cancelled = true;
                }
                Effect::Bury => {
                    assert!(self.heard_die && self.running.is_empty(), "too early");
                    self.buries = true;
                }
                Effect::Exit => {
                    assert!(!self.buries, "she leaves her own bees behind");
                    self.over = true;
                }
            }
        }
        let taken = child.places_taken();
        assert!(self.nature.places.is_none_or(|most| taken <= most as usize));
        assert!(!self.heard_die || taken == self.running.len(), "reserved");
        if self.over {
            let last = self.from.back();
            assert!(matches!(last, Some(FromBee::Dead)), "the last word");
            assert!(self.running.is_empty(), "nothing owned at its end");
            self.child = None;
        } else {
            assert_eq!(self.offers.len(), 0, "every offer is answered");
        }
    }

    /// How busy it says it is.
    pub(super) fn busy_status(&self) -> f64 {
        self.child.as_ref().expect("it lives").busy_status()
    }

    /// The places that are taken: by tasks, and by offers it has accepted.
    pub(super) fn places_taken(&self) -> usize {
        self.child.as_ref().map_or(0, BeeMachine::places_taken)
    }

    /// Whether it could not be made.
    pub(super) fn is_barren(&self) -> bool {
        self.nature.barren
    }

    /// Whether it lives and was told to die.
    pub(super) fn is_dying(&self) -> bool {
        self.child.as_ref().is_some_and(BeeMachine::is_dying)
    }
}

fn check_said(message: &FromBee, heard_die: bool, offers: &mut BTreeSet<(TaskId, Round)>) {
    match message {
        FromBee::TaskAccepted { task_id, round } => {
            assert!(!heard_die, "an accept after die");
            assert!(offers.remove(&(*task_id, *round)), "an answer to nothing");
        }
        FromBee::TaskDenied { task_id, round } => {
            assert!(offers.remove(&(*task_id, *round)), "an answer to nothing");
        }
        _ => {}
    }
}

/// What a task returns: it tells which task, which round, and by whom.
pub(super) fn value(task: TaskId, round: Round, child: ChildId) -> String {
    format!("{}/{} by {}", task.0, round.0, child.0)
}
