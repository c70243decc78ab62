//! Contexts that fail, in every way and at every step.

use std::rc::Rc;

use mt_pool::{Context, error::ContextStep, is_cancelled, task_index};
use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Fault {
    None,
    Fails,
    Panics,
    Aborts,
    Hangs,
}

impl Fault {
    /// Comes, in these words.
    async fn come(self, words: &str) -> Result<(), String> {
        tokio::task::yield_now().await;
        match self {
            Self::None => Ok(()),
            Self::Fails => Err(words.to_owned()),
            Self::Panics => panic!("{words}"),
            Self::Aborts => std::process::abort(),
            Self::Hangs => std::future::pending().await,
        }
    }
}

/// A context with a fault when it is opened, or when it is closed.
struct Fragile(Fault);

impl Context for Fragile {
    type Config = (Fault, Fault);
    type Error = String;

    async fn open((open, close): &Self::Config) -> Result<Self, String> {
        open.come("no way in").await.map(|()| Self(*close))
    }

    async fn close(self) -> Result<(), String> {
        self.0.come("no way out").await
    }
}

#[task]
fn inside(#[context] _fragile: &Fragile, n: u64) -> u64 {
    n
}

#[task]
async fn inside_async(#[context] _fragile: &Fragile, n: u64) -> u64 {
    tokio::task::yield_now().await;
    n
}

/// A plain run and an async one.
fn both_ways(open: Fault, close: Fault) -> [Report<u64, Never>; 2] {
    fn run<T>(faults: (Fault, Fault)) -> Report<u64, Never>
    where
        T: Task<Input = u64, Context = Fragile, Output = u64, Error = Never>,
    {
        let mut deadlines = Deadlines::new();
        if [faults.0, faults.1].contains(&Fault::Hangs) {
            deadlines = deadlines.context(Duration::from_millis(20));
        }
        let run = asyn_pmap::<T>(0..50).context(faults).processes(2);
        complete(run.batch_size(7).deadlines(deadlines), 50)
    }
    let faults = (open, close);
    [run::<inside>(faults), run::<inside_async>(faults)]
}

/// Case M29: A context that does not open, in whatever way, is the outcome of its items, and costs no worker.
#[test_with(alone)]
fn a_context_that_does_not_open_is_the_outcome_of_its_items() {
    for fault in [Fault::Fails, Fault::Panics, Fault::Hangs] {
        for report in both_ways(fault, Fault::None) {
            for kind in (0..50).map(|index| report.kind(index)) {
                assert_is!(*kind, TaskErrorKind::Context { step: ContextStep::Open, message }
                    if message.contains("no way in") || message.contains("20ms"));
            }
            assert_eq!(report.stats.workers_died, 0);
        }
    }
}

/// Case M30: A context that does not close is reported, one for each batch, and costs no outcome.
#[test_with(alone)]
fn a_context_that_does_not_close_is_reported_and_costs_nothing() {
    for fault in [Fault::Fails, Fault::Panics, Fault::Hangs] {
        for report in both_ways(Fault::None, fault) {
            assert_eq!(report.failed(), [0; 0]);
            let errors = report.stats.context_close_errors;
            assert!(errors >= 8, "one a batch");
            let told = report.told(|event| {
                matches!(event, PoolEvent::ContextCloseFailed { message, .. }
                    if message.contains("no way out") || message.contains("20ms"))
            });
            assert_eq!(told as u64, errors);
        }
    }
}

#[test_with(alone)]
fn a_context_that_kills_its_worker() {
    for report in both_ways(Fault::Aborts, Fault::None) {
        assert_eq!(report.failed().len(), 50);
    }
    // What has just finished may not have been told yet, and counts as running.
    for report in both_ways(Fault::None, Fault::Aborts) {
        for index in report.failed() {
            report.crash(index);
        }
    }
}

/// Blocks its thread, once, when it is opened.
struct Stubborn;

impl Context for Stubborn {
    type Config = Folder;
    type Error = String;

    async fn open(folder: &Folder) -> Result<Self, String> {
        if folder.first("opened") {
            thread::sleep(FOR_EVER); // work: never gets anywhere
        }
        Ok(Self)
    }
}

#[task]
fn within(#[context] _stubborn: &Stubborn, n: u64) -> u64 {
    n
}

#[task]
async fn within_async(#[context] _stubborn: &Stubborn, n: u64) -> u64 {
    tokio::task::yield_now().await;
    n
}

/// Opening can't be cancelled, but is part of the call it is for.
///
/// Case M147: A context that blocks its thread while it is opened is ended by the hard deadline of the item it is
/// opened for.
#[test_with(alone)]
fn a_context_that_blocks_its_thread_runs_into_the_hard_deadline() {
    fn first_is_late<T: Task<Input = u64, Context = Stubborn, Output = u64, Error: Debug>>() {
        let folder = Folder::temp();
        let limit = Duration::from_secs(1);
        let run = asyn_pmap::<T>(0..30).context(folder.clone());
        let run = run.deadlines(hard(limit).context(limit / 100));
        let report = complete(run.processes(1), 30);
        report.lost_only(&[0]);
        assert_is!(report.kind(0), TaskErrorKind::TimedOut { deadline, .. } if *deadline == Deadline::Hard);
    }
    first_is_late::<within>();
    first_is_late::<within_async>();
}

/// Blocks its thread, once, when it is closed.
struct Clinging(Folder);

impl Context for Clinging {
    type Config = Folder;
    type Error = String;

    async fn open(folder: &Folder) -> Result<Self, String> {
        Ok(Self(folder.clone()))
    }

    async fn close(self) -> Result<(), String> {
        if self.0.first("closed") {
            thread::sleep(FOR_EVER); // work: never gets anywhere
        }
        Ok(())
    }
}

#[task]
fn clung_to(#[context] _clinging: &Clinging, n: u64) -> u64 {
    n
}

#[task]
async fn clung_to_async(#[context] _clinging: &Clinging, n: u64) -> u64 {
    tokio::task::yield_now().await;
    n
}

/// Case G8: A context whose close blocks its thread is ended with its worker after the context deadline, and no item is
/// lost or charged.
#[test_with(alone)]
fn a_context_that_blocks_its_thread_when_it_is_closed_is_ended_with_its_worker() {
    fn goes_on<T: Task<Input = u64, Context = Clinging, Output = u64, Error: Debug>>() {
        let limit = Duration::from_millis(50);
        for deadlines in [Deadlines::new().context(limit), hard(limit)] {
            let folder = Folder::temp();
            let run = asyn_pmap::<T>(0..30).context(folder.clone()).batch_size(3);
            let run = run.deadlines(deadlines).processes(1).crash_limit(2);
            let report = complete(run, 30);
            report.lost_only(&[]);
            assert_eq!(report.stats.deaths.close_blocked, 1);
            assert_eq!(report.stats.context_close_errors, 1);
            assert_eq!(report.deaths()[0].cause, DeathCause::CloseBlocked);
        }
    }
    goes_on::<clung_to>();
    goes_on::<clung_to_async>();
}

/// Counts its openings and closings, and sees that no call's surroundings leak into it.
struct Counted(Folder);

impl Context for Counted {
    type Config = Folder;
    type Error = String;

    async fn open(folder: &Folder) -> Result<Self, String> {
        folder.note("opened", 1);
        tokio::task::yield_now().await;
        outside()?;
        Ok(Self(folder.clone()))
    }

    async fn close(self) -> Result<(), String> {
        tokio::task::yield_now().await;
        self.0.note("closed", 1);
        outside()
    }
}

fn outside() -> Result<(), String> {
    match task_index() {
        None if !is_cancelled() => Ok(()),
        index => Err(format!("a part of item {index:?}")),
    }
}

#[task]
fn counted(#[context] _counted: &Counted, n: u64) -> Option<u64> {
    assert_eq!(task_index(), Some(n));
    task_index()
}

#[task]
async fn counted_async(#[context] _counted: &Counted, n: u64) -> Option<u64> {
    assert_eq!(task_index(), Some(n));
    tokio::task::yield_now().await;
    assert_eq!(task_index(), Some(n));
    let after = Rc::new(n);
    tokio::time::sleep(Duration::from_millis(n % 3)).await; // work: waits as a task would
    task_index().filter(|index| *index == *after)
}

/// Case M31: With `context_per_worker` a worker opens one context for all its items and closes it; a call knows its
/// item, a context none.
#[test_with(alone)]
fn one_context_for_all_items_of_a_worker() {
    fn one_each<T: Task<Input = u64, Context = Counted, Output = Option<u64>, Error: Debug>>() {
        let folder = Folder::temp();
        let run = asyn_pmap::<T>(0..50).context(folder.clone()).batch_size(3);
        let run = run.deadlines(soft(Duration::from_secs(100)));
        let report = complete(run.context_per_worker().processes(2), 50);
        let workers = report.stats.workers_started as usize;
        let opened = folder.noted("opened").len();
        assert!((1..=workers).contains(&opened), "{opened} in {workers}");
        assert_eq!(folder.noted("closed").len(), opened);
        assert_eq!(report.stats.context_close_errors, 0);
        assert_eq!(report.values(), (0..50).map(Some).collect::<Vec<_>>());
    }
    one_each::<counted>();
    one_each::<counted_async>();
}
