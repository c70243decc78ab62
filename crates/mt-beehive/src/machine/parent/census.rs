//! What there is to say about a hive from outside: its bees one by one, and what it has done so far.
//!
//! Pure: no IO, no clock, no runtime.

use mt_pool::supervision::Health;
use mt_proto::TaskStatus;

use super::{
    BeeId, ParentMachine,
    bee_slot::{BeeSlot, Phase},
    event::TaskOutcome,
};

/// What a hive has done so far: see [`Hive::stats`](crate::Hive::stats).
///
/// Every task that was delegated has succeeded, raised or been cancelled, or has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HiveStats {
    /// The tasks that were delegated, those that `busy_status` is among. One that can't be sent is not.
    pub delegated: u64,
    /// The tasks that returned a value.
    pub succeeded: u64,
    /// The tasks that raised or panicked, were not called, or returned what can't be sent.
    pub raised: u64,
    /// The tasks that were cancelled, for whatever reason; a dropped [`Delegate`](crate::Delegate)'s too.
    pub cancelled: u64,
    /// How often a task was begun again because its bee was gone.
    pub begun_again: u64,
    /// The worker bees that were started.
    pub bees_started: u64,
    /// The worker bees that were gone without having been told to die: they crashed, were killed by somebody or
    /// for a task that did not let go, or could not be made.
    pub bees_lost: u64,
    /// Messages that came too late to matter: they were about an offer or an attempt that something else had
    /// come of.
    pub stale_messages: u64,
    /// Whether Ctrl-C has interrupted it: see [`workers`](crate::BeehiveRun::workers).
    pub interrupted: bool,
}

/// How far a worker bee is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BeeState {
    /// The bee's process is started, or the bee is being made there.
    Starting,
    /// The bee takes tasks.
    Ready,
    /// The bee was told to die, and finishes what it has.
    Dying,
    /// The bee's process is being killed.
    Killed,
}

/// A worker bee at one moment: see [`Hive::bees`](crate::Hive::bees).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BeeStatus {
    /// The bee's id.
    pub id: u32,
    /// The bee's process's id; `None` until that is started.
    pub pid: Option<u32>,
    /// How far the bee is in its life.
    pub state: BeeState,
    /// Whether the bee gives signs of life, and gets any further.
    pub health: Health,
    /// The tasks that the bee has.
    pub tasks: usize,
    /// How busy the bee is: 0 is free, 1 is full; 0 without a limit.
    pub busy: f64,
}

impl HiveStats {
    pub(super) fn count(&mut self, end: &TaskOutcome) {
        match end {
            TaskOutcome::Told(TaskStatus::Succeeded { .. }) => self.succeeded += 1,
            TaskOutcome::Told(
                TaskStatus::Raised(_) | TaskStatus::Failed(_) | TaskStatus::NoSuchTask,
            ) => self.raised += 1,
            TaskOutcome::Told(TaskStatus::Cancelled) | TaskOutcome::Cancelled(_) => {
                self.cancelled += 1
            }
        }
    }
}

impl ParentMachine {
    /// How many tasks are not resolved, and the name of the oldest.
    pub(crate) fn unresolved(&self) -> Option<(usize, String)> {
        let oldest = self.tasks.iter().min_by_key(|(task_id, _)| **task_id);
        oldest.map(|(_, task)| (self.tasks.len(), task.name.clone().into_owned()))
    }

    /// What was done so far.
    pub(crate) fn stats(&self) -> HiveStats {
        HiveStats {
            delegated: self.next_task,
            bees_started: u64::from(self.next_bee),
            stale_messages: self.stale,
            interrupted: self.interrupted,
            ..self.stats
        }
    }

    /// Whether a child is lost that goes now: it was not told to die.
    pub(crate) fn is_lost(&self, child: BeeId) -> bool {
        let bee = self.bees.get(&child);
        bee.is_some_and(|bee| !bee.told_to_die)
    }

    /// The children that are not gone, oldest first. Of their processes nothing is known here.
    pub(crate) fn bees(&self) -> Vec<BeeStatus> {
        let each = self.bees.iter();
        each.map(|(child, bee)| bee.status(child.0)).collect()
    }
}

impl BeeSlot {
    fn status(&self, id: u32) -> BeeStatus {
        BeeStatus {
            id,
            pid: None,
            state: match self.phase {
                Phase::Starting => BeeState::Starting,
                Phase::Ready => BeeState::Ready,
                Phase::Dying { .. } => BeeState::Dying,
                Phase::Killed => BeeState::Killed,
            },
            health: Health::Well,
            tasks: self.owned,
            busy: match self.most {
                Some(most) if most > 0 => (self.owned as f64 / f64::from(most)).min(1.0),
                _ => 0.0,
            },
        }
    }
}
