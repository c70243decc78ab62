//! A task from its delegation to its resolution.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_proto::Round;
use smallvec::SmallVec;

use super::event::{BeeId, Request};
use crate::{error::CancelReason, machine::BUSY_STATUS};

/// Some children, few enough to be looked through.
type BeeIds = SmallVec<[BeeId; 8]>;

/// Takes a child out; whether it was in.
pub(super) fn take_out(children: &mut BeeIds, child: BeeId) -> bool {
    let at = children.iter().position(|&other| other == child);
    at.map(|at| children.swap_remove(at)).is_some()
}

/// Where a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TaskState {
    /// Nobody is asked.
    Pending,
    /// Some were asked.
    Offered(Offer),
    /// A child has it.
    Owned { child: BeeId },
}

/// Where a task waits while nobody is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Questions,
    Suspects,
    Others,
}

/// Who was asked whether they want a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offer {
    /// The bees that have not answered.
    pub(super) asked: BeeIds,
    /// The bees that want it.
    pub(super) accepted: BeeIds,
}

/// A task that is to stop.
#[derive(Debug, Clone)]
pub(super) struct Cancel {
    pub(super) reason: CancelReason,
    /// When its bee is killed if it has not ended by then.
    pub(super) until: Instant,
    /// The time was over when the bee was dying already.
    pub(super) died_first: bool,
}

/// A task that is not resolved.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: Cow<'static, str>,
    /// Bees answer it beside their tasks: it needs neither their thread nor a place.
    pub(super) is_question: bool,
    pub(super) args: Bytes,
    pub(super) limit: Option<Duration>,
    /// When its time is over.
    pub(super) deadline: Option<Instant>,
    pub(super) state: TaskState,
    pub(super) round: Round,
    /// The bees that died while it ran, and are blamed on it.
    pub(super) attempts: u32,
    /// The bees it was given to, but for those that have not begun it.
    pub(super) begun: u32,
    /// How many tasks its bee was given before it.
    pub(super) place: u64,
    /// On the heap, as few have one and all tasks are moved about.
    pub(super) cancel: Option<Box<Cancel>>,
    /// A bee has died that had it: how many tasks may be together in the next one.
    pub(super) company: Option<usize>,
    /// When it has run for long enough to be let alone, if it is a suspect that runs.
    pub(super) grace: Option<Instant>,
    /// The task has run for that long in its bee.
    pub(super) seasoned: bool,
    /// How often its bee died after that: each time doubles how long that is.
    pub(super) doubled: u32,
}

impl Task {
    pub(super) fn new(now: Instant, request: Request) -> Self {
        Self {
            is_question: request.name == BUSY_STATUS,
            name: request.name,
            args: request.args,
            limit: request.limit,
            deadline: request.limit.and_then(|limit| now.checked_add(limit)),
            state: TaskState::Pending,
            round: Round(0),
            attempts: 0,
            begun: 0,
            place: 0,
            cancel: None,
            company: None,
            grace: None,
            seasoned: false,
            doubled: 0,
        }
    }

    /// Where it waits while nobody is asked about it.
    pub(super) fn line(&self) -> Line {
        match (self.is_question, self.company) {
            (true, _) => Line::Questions,
            (false, Some(_)) => Line::Suspects,
            (false, None) => Line::Others,
        }
    }

    /// The offer, while it is open.
    pub(super) fn offer(&mut self) -> Option<&mut Offer> {
        match &mut self.state {
            TaskState::Offered(offer) => Some(offer),
            TaskState::Pending | TaskState::Owned { .. } => None,
        }
    }

    pub(super) fn is_offered(&self) -> bool {
        matches!(self.state, TaskState::Offered(_))
    }

    /// When something is to be done about it.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.cancel {
            Some(cancel) => Some(cancel.until),
            None => self.deadline,
        }
    }
}
