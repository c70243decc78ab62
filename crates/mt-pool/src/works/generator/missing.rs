//! Which works have their outcome, and which do not.

use std::ops::Range;

/// The works that have their outcome, by their position, kept as runs of neighbours. They finish roughly
/// in the order they were started, so the runs are few: never more than works are on the way at once.
#[derive(Debug, Default)]
pub(super) struct Finished {
    /// Sorted, none next to another: first, and one past the last.
    runs: Vec<(u64, u64)>,
}

impl Finished {
    /// Takes note that a work has its outcome.
    pub(super) fn add(&mut self, position: u64) {
        // The run that could end before it, or hold it.
        let next = self.runs.partition_point(|&(first, _)| first <= position);
        let joins_next = self.runs.get(next).is_some_and(|run| run.0 == position + 1);
        match next.checked_sub(1).map(|before| self.runs[before].1) {
            Some(end) if position < end => {}
            Some(end) if position == end => {
                self.runs[next - 1].1 = if joins_next {
                    self.runs.remove(next).1
                } else {
                    position + 1
                };
            }
            _ if joins_next => self.runs[next].0 = position,
            _ => self.runs.insert(next, (position, position + 1)),
        }
    }

    /// The positions below `end` that are not among them, in order.
    pub(super) fn gaps(&self, end: u64) -> impl Iterator<Item = Range<u64>> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.1));
        let ends = self.runs.iter().map(|run| run.0).chain([end]);
        let gaps = starts.zip(ends).map(|(start, end)| start..end);
        gaps.filter(|gap| !gap.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_not_finished_is_missing(finished in prop::collection::vec(0_u64..60, 0..80)) {
            let mut set = Finished::default();
            for &position in &finished {
                set.add(position);
            }
            let finished: BTreeSet<u64> = finished.into_iter().collect();
            let expected: Vec<u64> = (0..60).filter(|id| !finished.contains(id)).collect();
            let found: Vec<u64> = set.gaps(60).flatten().collect();
            prop_assert_eq!(found, expected);
            let runs = set.runs.windows(2);
            prop_assert!(runs.into_iter().all(|two| two[0].1 < two[1].0), "neighbours are joined");
        }
    }

    #[test]
    fn works_that_finish_in_order_take_one_run() {
        let mut finished = Finished::default();
        for position in 0..10_000 {
            finished.add(position);
        }
        assert_eq!(finished.runs, [(0, 10_000)]);
        assert_eq!(finished.gaps(10_000).next(), None);
        assert_eq!(finished.gaps(10_001).next(), Some(10_000..10_001));
    }
}
