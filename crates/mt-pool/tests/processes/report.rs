//! A whole run, and what must hold of every run.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use mt_pool::{
    AsynPmap, Task, TaskError, TaskErrorKind,
    events::PoolEvent,
    input::RunInput,
    stats::Stats,
    supervision::{Death, WorkerFailure},
};

pub(crate) type Outcome<T> = Result<<T as Task>::Output, TaskError<<T as Task>::Error>>;

/// What came out of a run, by index.
pub(crate) struct Report<V, E> {
    pub(crate) outcomes: Vec<Result<V, TaskError<E>>>,
    pub(crate) stats: Stats,
    pub(crate) events: Vec<PoolEvent>,
}

/// Runs to the end. Every one of the `items` items has exactly one outcome, every worker one end.
pub(crate) fn complete<T: Task>(
    run: AsynPmap<T, RunInput<'_>>,
    items: u64,
) -> Report<T::Output, T::Error> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let run = run.observe(move |event| heard.lock().unwrap().push(event.clone()));
    let mut run = run.start().unwrap().indexed().into_iter();
    let mut outcomes: Vec<(u64, Outcome<T>)> = run.by_ref().collect();
    let stats = run.stats();
    drop(run);
    outcomes.sort_by_key(|(index, _)| *index);
    let indices = outcomes.iter().map(|(index, _)| *index);
    assert!(indices.eq(0..items), "one outcome each");
    for (index, outcome) in &outcomes {
        let told = outcome.as_ref().err().map_or(*index, TaskError::index);
        assert_eq!(told, *index, "an error knows its item");
    }
    let events = std::mem::take(&mut *events.lock().unwrap());
    check_lives(&events, &stats);
    assert_eq!(stats.succeeded + stats.failed, items);
    assert_eq!(stats.outstanding, 0);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Report {
        outcomes,
        stats,
        events,
    }
}

/// Every worker that was started has ended once, and the stats agree.
fn check_lives(events: &[PoolEvent], stats: &Stats) {
    let (mut started, mut ended, mut died) = (Vec::new(), Vec::new(), 0);
    for event in events {
        match event {
            PoolEvent::WorkerStarted { pid, .. } => started.push(*pid),
            PoolEvent::WorkerDied { pid, .. } => {
                died += 1;
                ended.push(*pid);
            }
            PoolEvent::WorkerLeft { pid, .. } => ended.push(*pid),
            _ => {}
        }
    }
    assert_eq!(stats.workers_started, started.len() as u64);
    assert_eq!(stats.workers_died, died);
    started.sort_unstable();
    ended.sort_unstable();
    assert_eq!(started, ended);
}

/// The values of a run, all of whose items have one.
#[track_caller]
pub(crate) fn values<T: Task<Error: Debug>>(run: AsynPmap<T, RunInput<'_>>) -> Vec<T::Output> {
    let run = run.start().unwrap().into_iter();
    run.map(Result::unwrap).collect()
}

/// How many items of a run have a value.
pub(crate) fn succeeded<T: Task>(run: AsynPmap<T>) -> usize {
    let run = run.start().unwrap().into_iter();
    run.filter(Result::is_ok).count()
}

impl<V: Ord + Copy, E: Debug> Report<V, E> {
    /// How many items each worker had that returned a number of its own for each.
    pub(crate) fn shares(&self) -> BTreeMap<V, u64> {
        let mut shares = BTreeMap::new();
        for outcome in &self.outcomes {
            *shares.entry(*outcome.as_ref().unwrap()).or_insert(0) += 1;
        }
        shares
    }
}

impl<E> Report<u64, E> {
    /// Only these items have no value; all others have their index.
    #[track_caller]
    pub(crate) fn lost_only(&self, lost: &[usize]) {
        assert_eq!(self.failed(), lost);
        for (outcome, index) in self.outcomes.iter().zip(0..) {
            assert!(outcome.as_ref().is_ok_and(|value| *value == index) || outcome.is_err());
        }
    }
}

impl<V, E> Report<V, E> {
    /// The indices of the items that have no value.
    pub(crate) fn failed(&self) -> Vec<usize> {
        let indices = 0..self.outcomes.len();
        indices.filter(|&i| self.outcomes[i].is_err()).collect()
    }

    /// How often something like this was told.
    pub(crate) fn told(&self, is: impl Fn(&PoolEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }

    /// The deaths, in their order.
    pub(crate) fn deaths(&self) -> Vec<Death> {
        let death = |event: &PoolEvent| match event {
            PoolEvent::WorkerDied { death, .. } => Some(death.clone()),
            _ => None,
        };
        self.events.iter().filter_map(death).collect()
    }

    /// The error of an item.
    #[track_caller]
    pub(crate) fn error(&self, index: usize) -> &TaskError<E> {
        let error = self.outcomes[index].as_ref().err();
        error.unwrap_or_else(|| panic!("item {index} has a value"))
    }

    /// Why no worker was there for an item.
    #[track_caller]
    pub(crate) fn no_workers(&self, index: usize) -> &WorkerFailure {
        match self.kind(index) {
            TaskErrorKind::Pool(cause) => cause,
            _ => panic!("item {index} had workers"),
        }
    }

    /// Why an item has no value.
    #[track_caller]
    pub(crate) fn kind(&self, index: usize) -> &TaskErrorKind<E> {
        self.error(index).kind()
    }
}

impl<V, E: Debug> Report<V, E> {
    /// The values of all items.
    #[track_caller]
    pub(crate) fn values(self) -> Vec<V> {
        self.outcomes.into_iter().map(Result::unwrap).collect()
    }

    /// The death an item is given up for, and how many it caused.
    #[track_caller]
    pub(crate) fn crash(&self, index: usize) -> (Death, u32) {
        match self.kind(index) {
            TaskErrorKind::Crashed { death, attempts } => (death.clone(), *attempts),
            other => panic!("item {index} did not crash: {other:?}"),
        }
    }
}
