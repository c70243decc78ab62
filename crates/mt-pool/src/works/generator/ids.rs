//! Which works there are.

use std::{ops::RangeInclusive, sync::Arc};

use crate::input::{IntoInput, Source};

/// The works of a run: the numbers below one, or a list.
#[derive(Debug, Clone)]
pub(super) enum WorkIds {
    Below(u64),
    List(Arc<[u64]>),
}

impl WorkIds {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Below(end) => *end,
            Self::List(ids) => ids.len() as u64,
        }
    }

    /// The work at a position of the input.
    pub(super) fn at(&self, position: u64) -> u64 {
        match self {
            Self::Below(_) => position,
            // Positions come from the input, which is made of this list.
            Self::List(ids) => ids[position as usize],
        }
    }

    /// They as the input of a run.
    pub(super) fn source(&self) -> Source<u64> {
        match self {
            Self::Below(end) => (0..*end).into_source(),
            Self::List(ids) => ids.to_vec().into_source(),
        }
    }

    /// The works from one position up to another, as runs of numbers that follow each other.
    pub(super) fn runs(&self, start: u64, end: u64) -> Vec<RangeInclusive<u64>> {
        let mut runs: Vec<RangeInclusive<u64>> = Vec::new();
        match self {
            Self::Below(_) if start < end => runs.push(start..=end - 1),
            Self::Below(_) => {}
            Self::List(ids) => {
                for &id in &ids[start as usize..end as usize] {
                    match runs.last_mut() {
                        Some(run) if run.end().checked_add(1) == Some(id) => {
                            *run = *run.start()..=id;
                        }
                        _ => runs.push(id..=id),
                    }
                }
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_of_neighbours() {
        let list = WorkIds::List([5, 6, 7, 3, 9, u64::MAX, 0].into());
        assert_eq!(list.len(), 7);
        assert_eq!(list.at(3), 3);
        assert_eq!(list.runs(1, 5), [6..=7, 3..=3, 9..=9]);
        assert_eq!(list.runs(5, 7), [u64::MAX..=u64::MAX, 0..=0]);
        assert_eq!(WorkIds::Below(10).runs(2, 5), [2..=4]);
        assert_eq!(WorkIds::Below(10).runs(5, 5), []);
    }
}
