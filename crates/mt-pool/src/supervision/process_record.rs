//! What a worker process has been through under its owners, as its parent knows it: what counts for the process and
//! not for a run.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// What a worker process has been through under its owners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ProcessRecord {
    /// The items that earlier owners have given to it.
    pub items: u64,
    /// When it was set up for the first time.
    pub ready_at: Option<Instant>,
    /// The init that it has gone through, with its input.
    pub(crate) init: Option<Bytes>,
}

/// What an owner demands of a process that others have used before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ReuseDemands {
    /// The init that it goes through, with its input, encoded.
    pub(crate) init: Option<Bytes>,
    /// How many items a process may have in its life.
    pub(crate) items: Option<u64>,
    /// How long it may live.
    pub(crate) age: Option<Duration>,
}

impl ProcessRecord {
    /// Whether a process with this record is of use to such an owner: not worn, and not prepared for something else.
    pub(crate) fn fits(&self, demands: &ReuseDemands, now: Instant) -> bool {
        let is_worn = demands.items.is_some_and(|most| self.items >= most);
        let age = |at: Instant| now.saturating_duration_since(at);
        let is_old = demands.age.zip(self.ready_at);
        let is_old = is_old.is_some_and(|(limit, at)| age(at) >= limit);
        let other_init = |wanted: &Bytes| self.init.as_ref().is_some_and(|init| init != wanted);
        !is_worn && !is_old && !demands.init.as_ref().is_some_and(other_init)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &ProcessRecord, demands: &ReuseDemands, age: u64, expected: bool) {
        let now = record.ready_at.map(|at| at + Duration::from_secs(age));
        let fits = record.fits(demands, now.expect("set"));
        assert_eq!(fits, expected, "{record:?}, {demands:?}");
    }

    /// Case 19: What recycles a process counts from its start, whatever runs have shared it.
    #[test]
    fn one_that_is_worn_is_of_no_use() {
        let record = |items| ProcessRecord {
            items,
            ready_at: Some(Instant::now()),
            init: None,
        };
        let any = ReuseDemands::default();
        let (few, young) = (Some(5), Some(Duration::from_secs(60)));
        let by_items = ReuseDemands {
            items: few,
            ..any.clone()
        };
        let by_age = ReuseDemands {
            age: young,
            ..any.clone()
        };
        check(&record(1_000_000), &any, 1_000_000, true);
        check(&record(4), &by_items, 0, true);
        check(&record(5), &by_items, 0, false);
        check(&record(0), &by_age, 59, true);
        check(&record(0), &by_age, 60, false);
    }

    /// Case 20: A process goes through one init in its life: it is used for runs with the same, or with none.
    #[test]
    fn one_that_was_prepared_for_something_else_is_of_no_use() {
        let (one, other) = (Some(Bytes::from("one")), Some(Bytes::from("other")));
        let demands = |init: &Option<Bytes>| ReuseDemands {
            init: init.clone(),
            ..Default::default()
        };
        let record = |init: &Option<Bytes>| ProcessRecord {
            ready_at: Some(Instant::now()),
            init: init.clone(),
            ..Default::default()
        };
        for (had, wanted, expected) in [
            (&None, &None, true),
            (&None, &one, true),
            (&one, &None, true),
            (&one, &one, true),
            (&one, &other, false),
        ] {
            check(&record(had), &demands(wanted), 0, expected);
        }
    }
}
