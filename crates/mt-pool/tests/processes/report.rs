//! A whole run, and what must hold of every run.

use std::sync::{Arc, Mutex};

use mt_pool::{AsynPmap, Death, DeathCause, PoolEvent, Stats, Task, TaskError, TaskErrorKind};

pub(crate) type Outcome<T> = Result<<T as Task>::Output, TaskError<<T as Task>::Error>>;

/// What came out of a run, by index.
pub(crate) struct Report<T: Task> {
    pub(crate) outcomes: Vec<Outcome<T>>,
    pub(crate) stats: Stats,
    pub(crate) events: Vec<PoolEvent>,
}

/// Runs to the end. Every one of the `items` items has exactly one outcome, every worker one end.
pub(crate) fn complete<T: Task>(run: AsynPmap<T>, items: u64) -> Report<T> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let run = run.observe(move |event| heard.lock().unwrap().push(event.clone()));
    let mut run = run.start().unwrap().indexed().into_iter();
    let mut outcomes: Vec<(u64, Outcome<T>)> = run.by_ref().collect();
    let stats = run.stats();
    drop(run);
    outcomes.sort_by_key(|(index, _)| *index);
    let indices: Vec<u64> = outcomes.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, (0..items).collect::<Vec<_>>(), "one outcome each");
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

impl<T: Task> Report<T> {
    /// The deaths, in their order.
    pub(crate) fn deaths(&self) -> Vec<Death> {
        let death = |event: &PoolEvent| match event {
            PoolEvent::WorkerDied { death, .. } => Some(death.clone()),
            _ => None,
        };
        self.events.iter().filter_map(death).collect()
    }

    /// The indices of the items that have no value.
    pub(crate) fn failed(&self) -> Vec<usize> {
        let indices = 0..self.outcomes.len();
        indices.filter(|&i| self.outcomes[i].is_err()).collect()
    }

    /// The error of an item.
    #[track_caller]
    pub(crate) fn error(&self, index: usize) -> &TaskError<T::Error> {
        match &self.outcomes[index] {
            Ok(_) => panic!("item {index} has a value"),
            Err(error) => error,
        }
    }

    /// The death an item is given up for, and how many it caused.
    #[track_caller]
    pub(crate) fn crash(&self, index: usize) -> (Death, u32)
    where
        T::Error: std::fmt::Debug,
    {
        match self.error(index).kind() {
            TaskErrorKind::Crashed { death, attempts } => (death.clone(), *attempts),
            other => panic!("item {index} did not crash: {other:?}"),
        }
    }
}

/// How a death that nobody but the worker caused is told: its exit code and its signal.
#[track_caller]
pub(crate) fn by_itself(death: &Death) -> (Option<i32>, Option<i32>) {
    assert_eq!(death.cause, DeathCause::Itself, "{death}");
    (death.exit.code, death.exit.signal)
}
