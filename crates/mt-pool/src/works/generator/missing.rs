//! Which works have their outcome, and which do not.

use std::{fmt, ops::RangeInclusive, time::Duration};

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
    pub(super) fn gaps(&self, end: u64) -> impl Iterator<Item = (u64, u64)> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.1));
        let ends = self.runs.iter().map(|run| run.0).chain([end]);
        starts.zip(ends).filter(|(start, end)| start < end)
    }
}

/// A run of [`asyn_work_generator`](crate::asyn_work_generator) was ended because none of its workers
/// had said anything for longer than its timeout.
///
/// The works it names have no outcome: they were running, or were never started. They may have had some
/// effect and can be tried again. All other works have had their outcome. The workers were killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorksMissing {
    pub(super) timeout: Duration,
    pub(super) missing: Vec<RangeInclusive<u64>>,
}

/// The runs of ids that an error text names.
const NAMED: usize = 8;

impl WorksMissing {
    /// The works without an outcome, in the order they would have been started.
    pub fn work_ids(&self) -> impl Iterator<Item = u64> {
        self.missing.iter().cloned().flatten()
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let lengths = self.missing.iter().map(|run| run.end() - run.start() + 1);
        lengths.sum()
    }

    /// The timeout that had passed without a message.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Display for WorksMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, seconds) = (self.count(), self.timeout.as_secs_f64());
        let works = if count == 1 { "work has" } else { "works have" };
        write!(
            f,
            "no message from any worker for {seconds} s, so the run was ended; {count} {works} no outcome: "
        )?;
        for (n, run) in self.missing.iter().take(NAMED).enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            match (run.start(), run.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}\u{2013}{last}")?,
            }
        }
        let more = if self.missing.len() > NAMED {
            " …"
        } else {
            ""
        };
        write!(f, "{more} (if works may take longer, set `timeout`)")
    }
}

impl std::error::Error for WorksMissing {}

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
            let found: Vec<u64> = set.gaps(60).flat_map(|(start, end)| start..end).collect();
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
        assert_eq!(finished.gaps(10_001).next(), Some((10_000, 10_001)));
    }

    #[test]
    fn an_error_names_some_and_counts_all() {
        let missing = |missing: Vec<RangeInclusive<u64>>| WorksMissing {
            timeout: Duration::from_millis(1500),
            missing,
        };
        let few = missing(vec![3..=3, 7..=9]);
        assert_eq!(few.work_ids().collect::<Vec<_>>(), [3, 7, 8, 9]);
        let text = few.to_string();
        assert!(
            text.contains("for 1.5 s") && text.contains("4 works have no outcome: 3, 7–9 ("),
            "{text}"
        );
        let many = missing((0..100).map(|id| 2 * id..=2 * id).collect());
        assert_eq!(many.count(), 100);
        let text = many.to_string();
        assert!(text.contains("0, 2, 4, 6, 8, 10, 12, 14 …"), "{text}");
    }
}
