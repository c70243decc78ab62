//! The books that the oracle keeps: of each task, and of each bee.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use mt_proto::{FromBee, Round, TaskId};

use crate::{error::CancelReason, machine::parent::BeeId};

/// A task, as it went on.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Bees answer it beside their tasks.
    pub(super) is_question: bool,
    pub(super) round: Round,
    pub(super) owner: Option<BeeId>,
    pub(super) cancelled: bool,
    /// The bee was dying already when it was cancelled.
    pub(super) died_first: bool,
    /// The bee could not be ended.
    pub(super) is_out_of_reach: bool,
    /// The bees that died while it ran and may have died of it.
    pub(super) charges: u32,
    pub(super) starts: u32,
    /// When its owner was given it.
    pub(super) given: Option<Instant>,
    /// How often its time alone was doubled.
    pub(super) doubled: u32,
    /// The bees that were asked in this round, and those that said no.
    pub(super) asked: u32,
    pub(super) denied: u32,
    /// Once, nobody wanted it.
    pub(super) unwanted: bool,
}

/// A bee, as it went on.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The most tasks at once, once she has said it.
    pub(super) places: Option<Option<u32>>,
    /// The offers that hold a place: not answered, or accepted and not answered in turn.
    pub(super) offers: BTreeSet<(TaskId, Round)>,
    /// The accepts that reached the parent and were not answered.
    pub(super) accepts: BTreeSet<(TaskId, Round)>,
    /// The accepts that were answered.
    pub(super) answered: BTreeSet<(TaskId, Round)>,
    pub(super) owned: BTreeMap<TaskId, Round>,
    /// The places of the tasks it has, among all that it was given.
    pub(super) places_of: BTreeMap<TaskId, u64>,
    pub(super) given: u64,
    /// The child has said that tasks wait for its thread.
    pub(super) behind: bool,
    /// The child was asked to give tasks back and has not answered.
    pub(super) gives_back: bool,
    /// When it was last asked something, or has answered something.
    pub(super) waited_since: Option<Instant>,
    pub(super) fruitful: bool,
    pub(super) told_to_die: bool,
    /// The child has said that its own children are dying.
    pub(super) is_dying: bool,
    /// The child has said that it is dead.
    pub(super) is_dead: bool,
    pub(super) killed: bool,
    /// The parent knows that the child is dying of itself.
    pub(super) dies: bool,
    /// Killed for nothing that it has done itself.
    pub(super) is_excused: bool,
}

impl Ledger {
    /// Whether it is the bee's turn to say this.
    pub(super) fn expects(&self, message: &FromBee) -> bool {
        match message {
            FromBee::Ready { .. } => self.places.is_none(),
            _ if self.places.is_none() => false,
            _ if self.is_dead => false,
            FromBee::Dying if self.is_dying => false,
            FromBee::Dying | FromBee::Dead => self.told_to_die && self.owned.is_empty(),
            FromBee::TaskReturned { .. } | FromBee::GaveBack { .. } => self.gives_back,
            _ => true,
        }
    }
}

/// Whether it answers what a bee has to answer at once.
pub(super) fn is_answer(message: &FromBee) -> bool {
    matches!(
        message,
        FromBee::TaskAccepted { .. } | FromBee::TaskDenied { .. } | FromBee::GaveBack { .. }
    )
}

pub(super) fn why(reason: &CancelReason) -> &'static str {
    match reason {
        CancelReason::Deadline { .. } => "deadline",
        CancelReason::WorkerLost { .. } => "worker lost",
        CancelReason::Interrupted { .. } => "interrupted",
        CancelReason::NoWorkers(_) => "no workers",
        CancelReason::HiveClosed => "hive closed",
        CancelReason::Dropped => "dropped",
        CancelReason::Unasked => "unasked",
    }
}
