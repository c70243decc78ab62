//! A child as its parent sees it.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mt_proto::{FromBee, TaskId};

/// How far a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Not made yet.
    #[default]
    Starting,
    /// Takes tasks.
    Ready,
    /// Told to die; killed if it has not gone by then.
    Dying {
        /// The end of its grace, counted from when it had nothing left to do, or had said last how far it is.
        until: Option<Instant>,
    },
    /// Being killed: nothing it still says counts.
    Killed,
}

/// What a child that was told to die has said of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Farewell {
    #[default]
    Nothing,
    /// The child has nothing left to do, and waits for its own children to die.
    Buries,
    /// The child is dead: nothing follows but its process's end.
    Dead,
}

/// A bee that is set aside for suspects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// A bee that still has what it had before, which is let alone from then on.
    Finishing(Option<Instant>),
    /// A bee that has suspects only, and at most so many at once.
    Free(usize),
}

/// A child.
#[derive(Debug, Default)]
pub(super) struct BeeSlot {
    pub(super) phase: Phase,
    /// The process is set up, and the child's own `ready` follows at once.
    pub(super) made: bool,
    /// The most tasks at once.
    pub(super) most: Option<u32>,
    /// How many tasks it has; which, the tasks know.
    pub(super) owned: usize,
    /// The offers it has not answered, and its accepts that were not answered.
    pub(super) asked: usize,
    /// The child has denied an offer and has had something to do: it is asked again when that has become less.
    pub(super) declines: bool,
    /// The child gives no sign of life: it is asked nothing, and nobody waits for its answers.
    pub(super) silent: bool,
    /// The child is dying, whatever of: it may be at that for as long as its core dump takes.
    pub(super) is_dying: bool,
    /// The tasks that wait for its thread, as it has said last, while it is behind.
    pub(super) behind: Option<u32>,
    /// The child was asked to give tasks back, and has not answered.
    pub(super) gives_back: bool,
    /// The offers it has not answered.
    pub(super) unanswered: usize,
    /// Since when it owes an answer, any: the last one, or the first question after it.
    pub(super) waited_since: Option<Instant>,
    /// When it has said anything last, or was given its first task after that.
    pub(super) quiet_since: Option<Instant>,
    /// The wait for that was late itself, and began once more.
    pub(super) was_late: bool,
    /// The tasks it was given in its life, those that were given back among them.
    pub(super) given: u64,
    /// How many of the tasks it has have run for so long that suspects may join them.
    pub(super) seasoned: usize,
    /// Set aside for suspects, if it is.
    pub(super) aside: Option<Aside>,
    /// The tasks that are past their deadline in it: what it is killed for.
    pub(super) condemned: BTreeSet<TaskId>,
    /// Whether it has done anything.
    pub(super) fruitful: bool,
    /// Whether its end is wanted: it says nothing about the next one's.
    pub(super) excused: bool,
    pub(super) told_to_die: bool,
    pub(super) farewell: Farewell,
}

impl BeeSlot {
    pub(super) fn new() -> Self {
        Self {
            most: Some(0),
            ..Self::default()
        }
    }

    pub(super) fn on_ready(&mut self, most: Option<u32>) {
        if self.phase == Phase::Starting {
            self.phase = Phase::Ready;
            self.most = most;
            self.waited_since = None;
        }
    }

    /// The child has nothing left to do, and has begun to let its own children die, or is dead: its next grace begins.
    pub(super) fn on_farewell(&mut self, farewell: Farewell) {
        if let Phase::Dying { until } = &mut self.phase {
            *until = None;
            self.farewell = farewell;
        }
    }

    /// Whether the child waits for its own children to die.
    pub(super) fn buries(&self) -> bool {
        self.farewell == Farewell::Buries
    }

    /// Whether it takes tasks and has a place for one more.
    pub(super) fn has_place(&self) -> bool {
        let taken = self.owned + self.asked;
        self.is_ready()
            && !self.declines
            && self.behind.is_none()
            && self.most.is_none_or(|most| taken < most as usize)
    }

    /// An offer to it is settled; it `denied` it, or has room for another.
    pub(super) fn on_answered(&mut self, denied: bool) {
        self.asked = self.asked.saturating_sub(1);
        self.declines = denied && !(self.owned == 0 && self.asked == 0);
    }

    /// The child is asked about one more task.
    pub(super) fn on_asked(&mut self, now: Option<Instant>) {
        self.asked += 1;
        self.on_question(now);
        self.unanswered += 1;
    }

    /// The child is about to owe an answer.
    pub(super) fn on_question(&mut self, now: Option<Instant>) {
        if !self.owes_answer() {
            (self.waited_since, self.was_late) = (now, false);
        }
    }

    /// An answer has come, to an offer or another question.
    pub(super) fn on_answer(&mut self, now: Option<Instant>) {
        self.waited_since = now.filter(|_| self.owes_answer());
        self.was_late = false;
    }

    /// Whether it owes an answer that it need not finish anything for.
    fn owes_answer(&self) -> bool {
        match self.phase {
            Phase::Starting => self.made,
            Phase::Ready | Phase::Dying { .. } => self.unanswered > 0 || self.gives_back,
            Phase::Killed => false,
        }
    }

    /// What is wrong with a message that comes now, of a child that has been ready.
    pub(super) fn out_of_turn(&self, message: &FromBee) -> Option<&'static str> {
        match message {
            _ if self.farewell == Farewell::Dead => Some("it spoke after it was dead"),
            FromBee::Ready { .. } => Some("it was ready twice"),
            FromBee::Dying if self.buries() => Some("it was dying twice"),
            FromBee::Dying | FromBee::Dead if self.owned > 0 => {
                Some("it died with something left to do")
            }
            FromBee::Dying | FromBee::Dead if !self.told_to_die => {
                Some("it died without having been told to")
            }
            FromBee::TaskReturned { .. } | FromBee::GaveBack { .. } if !self.gives_back => {
                Some("it gave back what it was not asked for")
            }
            FromBee::TaskAccepted { .. }
            | FromBee::TaskDenied { .. }
            | FromBee::TaskProgress { .. }
            | FromBee::TaskDone { .. }
            | FromBee::Dead
            | FromBee::Dying
            | FromBee::Behind { .. }
            | FromBee::CaughtUp
            | FromBee::TaskReturned { .. }
            | FromBee::GaveBack { .. } => None,
        }
    }

    /// By when it has to have answered something.
    pub(super) fn answer_due(&self, limit: Duration) -> Option<Instant> {
        let since = self
            .waited_since
            .filter(|_| self.owes_answer() && !self.silent);
        since?.checked_add(limit)
    }

    /// When to ask it whether it hears at all: it has tasks, and they have said nothing for so long.
    pub(super) fn question_due(&self, limit: Duration) -> Option<Instant> {
        let may_be_deaf = self.owned > 0 && !self.owes_answer() && !self.silent;
        let is_there = matches!(self.phase, Phase::Ready | Phase::Dying { .. });
        let since = self.quiet_since.filter(|_| may_be_deaf && is_there);
        since?.checked_add(limit)
    }

    /// Whether its grace runs once it is told to die.
    pub(super) fn may_go(&self) -> bool {
        self.owned == 0
    }

    /// When something is to be done about it.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Dying { until } => until,
            Phase::Starting | Phase::Ready | Phase::Killed => None,
        }
    }
}
