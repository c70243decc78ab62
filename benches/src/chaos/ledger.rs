//! What became of every item: one bit each, and counts.

use std::collections::BTreeMap;

use mt_pool::{TaskError, TaskErrorKind, task::Never};

use crate::tasks::mix;

/// The outcomes so far.
#[derive(Default)]
pub(super) struct Ledger {
    seen: Vec<u64>,
    tasks: u64,
    /// How many ended how.
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    pub(super) doubled: u64,
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

    pub(super) fn enter(&mut self, index: u64, outcome: Result<u64, TaskError<Never>>) {
        if self.ordered && index != self.next {
            self.wrong += 1;
        }
        self.next = index + 1;
        self.mark(index);
        let (is_wrong, name) = match outcome {
            Ok(value) => (value != mix(index), OK),
            Err(error) => (error.index() != index, name_of(error.kind())),
        };
        self.wrong += u64::from(is_wrong);
        *self.outcomes.entry(name).or_default() += 1;
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

    /// Outcomes that a kill of a worker does not explain.
    pub(super) fn unexplained(&self) -> u64 {
        let is_other = |name| ![OK, CRASHED].contains(name);
        let others = self.outcomes.iter().filter(|(name, _)| is_other(name));
        others.map(|(_, count)| count).sum()
    }
}

const OK: &str = "ok";
const CRASHED: &str = "crashed";

fn name_of(kind: &TaskErrorKind<Never>) -> &'static str {
    match kind {
        TaskErrorKind::Raised(never) => match *never {},
        TaskErrorKind::Panicked { .. } => "panicked",
        TaskErrorKind::Crashed { .. } => CRASHED,
        TaskErrorKind::Unserialisable(_) => "unserialisable",
        TaskErrorKind::Undecodable(_) => "undecodable",
        TaskErrorKind::TooLarge { .. } => "too_large",
        TaskErrorKind::Context { .. } => "context",
        TaskErrorKind::Cancelled => "cancelled",
        TaskErrorKind::InputPanicked(_) => "input_panicked",
        TaskErrorKind::Pool(_) => "pool",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, OK, mix};

    /// Enters these indices of 100, in order or not, and compares (lost, doubled, wrong).
    #[track_caller]
    fn check(ordered: bool, indices: impl IntoIterator<Item = u64>, expected: (u64, u64, u64)) {
        let mut ledger = Ledger::new(100, ordered);
        for index in indices {
            ledger.enter(index, Ok(mix(index)));
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
        ledger.enter(0, Ok(mix(1)));
        assert_eq!((ledger.outcomes[OK], ledger.wrong), (1, 1));
    }
}
