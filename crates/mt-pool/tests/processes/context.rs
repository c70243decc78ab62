//! Contexts that fail, in every way and at every step.

use mt_pool::{AsynPmap, Context, ContextStep, PoolEvent, Task, TaskErrorKind, asyn_pmap, task};

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

impl Context for Fragile {
    type Config = u8;
    type Error = String;

    async fn open(config: &u8) -> Result<Self, String> {
        tokio::task::yield_now().await;
        match *config {
            OPEN_FAILS => Err("no way in".into()),
            OPEN_PANICS => panic!("no way in"),
            OPEN_ABORTS => std::process::abort(),
            fine => Ok(Self(fine)),
        }
    }

    async fn close(self) -> Result<(), String> {
        tokio::task::yield_now().await;
        match self.0 {
            CLOSE_FAILS => Err("no way out".into()),
            CLOSE_PANICS => panic!("no way out"),
            CLOSE_ABORTS => std::process::abort(),
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
    let run = asyn_pmap::<inside>(0..50).context(config);
    test(any(run.pool_processes(processes).batch_size(batch)));
    let run = asyn_pmap::<inside_async>(0..50).context(config);
    test(any(run.pool_processes(processes).batch_size(batch)));
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
            if message.contains("no way in"))
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
        for config in [OPEN_FAILS, OPEN_PANICS] {
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
        for config in [CLOSE_FAILS, CLOSE_PANICS] {
            both_ways(config, |any| {
                assert_eq!(any.kinds, [""; 0]);
                assert!(any.report.2 >= 8, "one a batch");
                let told = any.report.3.iter().filter(|event| {
                    matches!(event, PoolEvent::ContextCloseFailed { message, .. }
                        if message.contains("no way out"))
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
