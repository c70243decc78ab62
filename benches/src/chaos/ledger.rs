//! What became of every item: one bit each, and counts.

use std::collections::BTreeMap;

use mt_beehive::{CancelReason, DelegateError};
use mt_pool::{TaskError, TaskErrorKind, limits::Deadline};

use super::{
    fault::{Fault, INSIDE, OUTSIDE},
    job::Job,
};
use crate::tasks::mix;

/// How a task has ended, in short.
pub(super) struct End {
    pub(super) name: &'static str,
    /// The item it says it is about, if it says so.
    index: Option<u64>,
    /// The death it was given up for.
    pub(super) death: Option<String>,
}

/// What is to be entered of an outcome.
pub(super) struct Entry {
    pub(super) index: u64,
    pub(super) name: &'static str,
    /// Whether the job, or a kill of a worker, can have led to it.
    pub(super) is_explained: bool,
    /// Whether the death that it tells is one that it can't have been.
    pub(super) is_misnamed: bool,
    /// Whether it is another item's.
    pub(super) is_wrong: bool,
}

impl Entry {
    /// Of an outcome that is as it must be.
    pub(super) fn of(index: u64, name: &'static str) -> Self {
        Self {
            index,
            name,
            is_explained: true,
            is_misnamed: false,
            is_wrong: false,
        }
    }
}

/// The outcomes so far.
#[derive(Default)]
pub(super) struct Ledger {
    seen: Vec<u64>,
    tasks: u64,
    /// How many ended how.
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    pub(super) doubled: u64,
    /// Outcomes that neither the job nor a kill of a worker explains.
    pub(super) unexplained: u64,
    /// Items given up for a death that is told as what it can't have been.
    pub(super) misnamed: u64,
    /// Outcomes of items that do not exist, values of other items, places out of order.
    pub(super) wrong: u64,
    ordered: bool,
    next: u64,
}

impl Ledger {
    pub(super) fn new(tasks: u64, ordered: bool) -> Self {
        Self {
            seen: vec![0; tasks.div_ceil(64) as usize],
            tasks,
            ordered,
            ..Self::default()
        }
    }

    pub(super) fn enter(&mut self, job: Job, outcome: Result<u64, End>) {
        let index = job.n;
        let is_faulty = job.fault.is_some();
        self.add(match outcome {
            Ok(value) => Entry {
                is_wrong: value != mix(index),
                is_explained: !is_faulty,
                ..Entry::of(index, OK)
            },
            Err(end) => Entry {
                is_wrong: end.index.is_some_and(|said| said != index),
                is_explained: is_faulty || end.name == CRASHED,
                is_misnamed: end.death.is_some_and(|death| !is_explained(job, &death)),
                ..Entry::of(index, end.name)
            },
        });
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let index = entry.index;
        self.wrong += u64::from(self.ordered && index != self.next);
        self.next = index + 1;
        self.mark(index);
        self.unexplained += u64::from(!entry.is_explained);
        self.misnamed += u64::from(entry.is_misnamed);
        self.wrong += u64::from(entry.is_wrong);
        *self.outcomes.entry(entry.name).or_default() += 1;
    }

    fn mark(&mut self, index: u64) {
        if index >= self.tasks {
            self.wrong += 1;
            return;
        }
        let (word, bit) = (&mut self.seen[(index / 64) as usize], 1 << (index % 64));
        self.doubled += u64::from(*word & bit != 0);
        *word |= bit;
    }

    /// Of this many items, the first ones, those without an outcome.
    pub(super) fn lost(&self, taken: u64) -> u64 {
        let seen = self.seen.iter().map(|word| u64::from(word.count_ones()));
        taken.saturating_sub(seen.sum())
    }
}

pub(super) const OK: &str = "ok";
const CRASHED: &str = "crashed";

/// Whether it is what the job does, or what is done to workers.
pub(super) fn is_explained(job: Job, death: &str) -> bool {
    let own = job.fault.map(|fault| INSIDE[usize::from(fault)]);
    let outside = OUTSIDE.iter().map(|(fault, _)| *fault);
    outside.chain(own).any(|fault: Fault| fault.explains(death))
}

impl<E> From<TaskError<E>> for End {
    fn from(error: TaskError<E>) -> Self {
        let (name, death) = match error.kind() {
            TaskErrorKind::Raised(_) => ("raised", None),
            TaskErrorKind::TimedOut {
                deadline: Deadline::Queue,
                ..
            } => ("waited_too_long", None),
            TaskErrorKind::TimedOut { .. } => ("ran_too_long", None),
            TaskErrorKind::Crashed { death, .. } => (CRASHED, Some(death.to_string())),
            TaskErrorKind::MemoryExceeded { .. } => ("memory_exceeded", None),
            TaskErrorKind::Panicked { .. } => ("panicked", None),
            TaskErrorKind::Cancelled => ("cancelled", None),
            TaskErrorKind::Pool(_) => ("pool", None),
            _ => ("other", None),
        };
        let index = Some(error.index());
        Self { name, index, death }
    }
}

impl From<DelegateError> for End {
    fn from(error: DelegateError) -> Self {
        let (name, death) = match error {
            DelegateError::Cancelled(CancelReason::WorkerLost { death, .. }) => {
                (CRASHED, Some(death.to_string()))
            }
            DelegateError::Cancelled(_) => ("cancelled", None),
            _ => ("other", None),
        };
        let index = None;
        Self { name, index, death }
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Ledger, OK, mix};

    fn job(n: u64) -> Job {
        Job { n, fault: None }
    }

    /// Enters these indices of 100, in order or not, and compares (lost, doubled, wrong).
    #[track_caller]
    fn check(ordered: bool, indices: impl IntoIterator<Item = u64>, expected: (u64, u64, u64)) {
        let mut ledger = Ledger::new(100, ordered);
        for index in indices {
            ledger.enter(job(index), Ok(mix(index)));
        }
        assert_eq!((ledger.lost(100), ledger.doubled, ledger.wrong), expected);
    }

    #[test]
    fn each_index_counts_once() {
        check(true, 0..100, (0, 0, 0));
        check(false, (0..100).rev(), (0, 0, 0));
        check(true, 0..99, (1, 0, 0));
        check(false, (0..100).chain([7, 7]), (0, 2, 0));
        check(true, [1, 0], (98, 0, 2));
        check(false, [100], (100, 0, 1));
    }

    #[test]
    fn a_value_of_another_item_is_wrong() {
        let mut ledger = Ledger::new(2, true);
        ledger.enter(job(0), Ok(mix(1)));
        assert_eq!((ledger.outcomes[OK], ledger.wrong), (1, 1));
    }
}
