//! A child as its parent sees it.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::BTreeSet, time::Instant};

use mt_proto::TaskId;

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
        /// The end of its grace, counted from when it had nothing left to do, nor children left.
        until: Option<Instant>,
    },
    /// Being killed: nothing it still says counts.
    Killed,
}

/// A bee that is set aside for suspects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// A bee that still has what it had before.
    Finishing,
    /// A bee that has suspects only, and at most so many at once.
    Free(usize),
}

/// A child.
#[derive(Debug, Default)]
pub(super) struct BeeSlot {
    pub(super) phase: Phase,
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
    /// Set aside for suspects, if it is.
    pub(super) aside: Option<Aside>,
    /// The tasks that are past their deadline in it: what it is killed for.
    pub(super) condemned: BTreeSet<TaskId>,
    /// Whether it has done anything.
    pub(super) fruitful: bool,
    /// Whether its end is wanted: it says nothing about the next one's.
    pub(super) excused: bool,
    pub(super) told_to_die: bool,
    /// The child waits for its own children to die: how long they may take is for itself to say.
    pub(super) buries: bool,
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
        }
    }

    /// The child has nothing left to do, and lets its own children die first.
    pub(super) fn on_dying(&mut self) {
        if let Phase::Dying { until } = &mut self.phase {
            *until = None;
            self.buries = true;
        }
    }

    /// Whether it takes tasks and has a place for one more.
    pub(super) fn has_place(&self) -> bool {
        let taken = self.owned + self.asked;
        self.is_ready() && !self.declines && self.most.is_none_or(|most| taken < most as usize)
    }

    /// An offer to it is settled; it `denied` it, or has room for another.
    pub(super) fn on_answered(&mut self, denied: bool) {
        self.asked = self.asked.saturating_sub(1);
        self.declines = denied && !(self.owned == 0 && self.asked == 0);
    }

    /// Whether its grace runs once it is told to die.
    pub(super) fn may_go(&self) -> bool {
        self.owned == 0 && !self.buries
    }

    /// When something is to be done about it.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Dying { until } => until,
            Phase::Starting | Phase::Ready | Phase::Killed => None,
        }
    }
}
