//! Contexts that fail, in every way and at every step.

use std::{rc::Rc, thread, time::Duration};

use mt_pool::{
    AsynPmap, Context, ContextStep, Deadline, PoolEvent, Task, TaskErrorKind, asyn_pmap,
    is_cancelled, task, task_index,
};
use mt_test_kit::Folder;

use crate::{
    report::{Report, complete},
    scene::check,
};

/// What a context does when it is opened and closed.
struct Fragile(u8);

const OPEN_FAILS: u8 = 1;
const OPEN_PANICS: u8 = 2;
const CLOSE_FAILS: u8 = 3;
const CLOSE_PANICS: u8 = 4;
const OPEN_ABORTS: u8 = 5;
const CLOSE_ABORTS: u8 = 6;
const OPEN_HANGS: u8 = 7;
const CLOSE_HANGS: u8 = 8;

impl Context for Fragile {
    type Config = u8;
    type Error = String;

    async fn open(config: &u8) -> Result<Self, String> {
        tokio::task::yield_now().await;
        match *config {
            OPEN_FAILS => Err("no way in".into()),
            OPEN_PANICS => panic!("no way in"),
            OPEN_ABORTS => std::process::abort(),
            OPEN_HANGS => std::future::pending().await,
            fine => Ok(Self(fine)),
        }
    }

    async fn close(self) -> Result<(), String> {
        tokio::task::yield_now().await;
        match self.0 {
            CLOSE_FAILS => Err("no way out".into()),
            CLOSE_PANICS => panic!("no way out"),
            CLOSE_ABORTS => std::process::abort(),
            CLOSE_HANGS => std::future::pending().await,
            _ => Ok(()),
        }
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

fn both_ways(config: u8, test: impl Fn(AnyReport)) {
    let options = |processes| (processes, 7);
    let (processes, batch) = options(2);
    let hangs = matches!(config, OPEN_HANGS | CLOSE_HANGS);
    let limit = Duration::from_millis(20);
    let run = asyn_pmap::<inside>(0..50).context(config);
    let run = run.pool_processes(processes).batch_size(batch);
    test(any(if hangs {
        run.context_deadline(limit)
    } else {
        run
    }));
    let run = asyn_pmap::<inside_async>(0..50).context(config);
    let run = run.pool_processes(processes).batch_size(batch);
    test(any(if hangs {
        run.context_deadline(limit)
    } else {
        run
    }));
}

/// What the tests here look at, whatever the task.
struct AnyReport {
    kinds: Vec<String>,
    context: usize,
    report: (u64, u64, u64, Vec<PoolEvent>),
}

fn any<T>(run: AsynPmap<T>) -> AnyReport
where
    T: Task<Output = u64>,
    T::Error: std::fmt::Debug + std::fmt::Display,
{
    let report: Report<T> = complete(run, 50);
    let errors = || report.outcomes.iter().filter_map(|o| o.as_ref().err());
    let open = |kind: &TaskErrorKind<T::Error>| {
        matches!(kind, TaskErrorKind::Context { step: ContextStep::Open, message }
            if message.contains("no way in") || message.contains("20ms"))
    };
    AnyReport {
        kinds: errors().map(ToString::to_string).collect(),
        context: errors().filter(|error| open(error.kind())).count(),
        report: (
            report.stats.workers_started,
            report.stats.workers_died,
            report.stats.context_close_errors,
            report.events,
        ),
    }
}

#[test]
fn a_context_that_does_not_open_is_the_outcome_of_its_items() {
    check(|| {
        for config in [OPEN_FAILS, OPEN_PANICS, OPEN_HANGS] {
            both_ways(config, |any| {
                assert_eq!(any.context, 50, "{:?}", any.kinds);
                assert_eq!(any.report.1, 0, "no worker died");
            });
        }
    });
}

#[test]
fn a_context_that_does_not_close_is_reported_and_costs_nothing() {
    check(|| {
        for config in [CLOSE_FAILS, CLOSE_PANICS, CLOSE_HANGS] {
            both_ways(config, |any| {
                assert_eq!(any.kinds, [""; 0]);
                assert!(any.report.2 >= 8, "one a batch");
                let told = any.report.3.iter().filter(|event| {
                    matches!(event, PoolEvent::ContextCloseFailed { message, .. }
                        if message.contains("no way out") || message.contains("20ms"))
                });
                assert_eq!(told.count() as u64, any.report.2);
            });
        }
    });
}

#[test]
fn a_context_that_kills_its_worker() {
    check(|| {
        both_ways(OPEN_ABORTS, |any| assert_eq!(any.kinds.len(), 50));
        // What has just finished may not have been told yet, and counts as running.
        both_ways(CLOSE_ABORTS, |any| {
            assert!(any.kinds.iter().all(|kind| kind.contains("crashed")));
        });
    });
}

/// Blocks its thread, once, when it is opened.
struct Stubborn;

impl Context for Stubborn {
    type Config = Folder;
    type Error = String;

    async fn open(folder: &Folder) -> Result<Self, String> {
        if folder.first("opened") {
            thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
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

/// It can't be cancelled, but is part of the call it is opened for.
#[test]
fn a_context_that_blocks_its_thread_runs_into_the_hard_deadline() {
    fn first_is_late<T: Task<Output = u64>>(run: AsynPmap<T>)
    where
        T::Error: std::fmt::Debug,
    {
        let limit = Duration::from_secs(1);
        let run = run.context_deadline(limit / 100).hard_deadline(limit);
        let report = complete(run.pool_processes(1), 30);
        assert_eq!(report.failed(), [0]);
        let kind = report.error(0).kind();
        let hard = Deadline::Hard;
        assert!(
            matches!(kind, TaskErrorKind::TimedOut { deadline, .. } if *deadline == hard),
            "{kind:?}"
        );
    }
    check(|| {
        let here = Folder::temp();
        first_is_late(asyn_pmap::<within>(0..30).context(here.clone()));
        let here = Folder::temp();
        first_is_late(asyn_pmap::<within_async>(0..30).context(here.clone()));
    });
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

#[test]
fn one_context_for_all_items_of_a_worker() {
    fn one_each<T>(run: AsynPmap<T>, folder: &Folder)
    where
        T: Task<Output = Option<u64>>,
        T::Error: std::fmt::Debug,
    {
        let run = run.batch_size(3).soft_deadline(Duration::from_secs(100));
        let report = complete(run.context_per_worker().pool_processes(2), 50);
        for (index, outcome) in report.outcomes.iter().enumerate() {
            assert_eq!(*outcome.as_ref().unwrap(), Some(index as u64));
        }
        let workers = report.stats.workers_started as usize;
        let opened = folder.noted("opened").len();
        assert!((1..=workers).contains(&opened), "{opened} in {workers}");
        assert_eq!(folder.noted("closed").len(), opened);
        assert_eq!(report.stats.context_close_errors, 0);
    }
    check(|| {
        let here = Folder::temp();
        one_each(asyn_pmap::<counted>(0..50).context(here.clone()), &here);
        let here = Folder::temp();
        one_each(
            asyn_pmap::<counted_async>(0..50).context(here.clone()),
            &here,
        );
    });
}
