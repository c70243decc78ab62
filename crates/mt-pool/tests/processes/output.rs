//! Taking outcomes out: late, elsewhere, in part, two runs at once, and a run inside a task.

use std::{
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures::StreamExt;
use mt_pool::works::{asyn_work_generator, progress_queue};

use crate::{prelude::*, tasks::first_waits_to_go};

#[task]
fn even(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) {
        Ok(n)
    } else {
        Err(format!("{n} is odd"))
    }
}

#[task]
fn sum_below(n: u64) -> u64 {
    values(asyn_pmap::<double>(0..n).processes(2)).iter().sum()
}

#[task]
async fn sum_below_async(n: u64) -> u64 {
    let run = asyn_pmap::<double>(0..n).processes(2).start().unwrap();
    run.map(Result::unwrap).fold(0, async |a, b| a + b).await
}

#[task]
fn init_with_a_run() {
    let run = asyn_pmap::<double>(0..10).processes(1);
    assert_eq!(values(run).iter().sum::<u64>(), 90);
}

#[test_with(alone)]
fn on_another_thread_while_the_first_is_gone() {
    let make = thread::spawn(|| asyn_pmap::<double>(0..3000).processes(2).start());
    let run = make.join().unwrap().unwrap();
    let sum = thread::spawn(|| run.into_iter().map(Result::unwrap).sum::<u64>());
    assert_eq!(sum.join().unwrap(), 2999 * 3000);
}

/// Case M84: A run works inside and outside of any executor.
#[test_with(alone)]
fn inside_any_executor() {
    let run = || asyn_pmap::<double>(0..100).processes(2);
    let sum = || values(run()).iter().sum::<u64>();
    assert_eq!(futures::executor::block_on(async { sum() }), 9900);
    assert_eq!(block_on(async { sum() }), 9900);
    let first = futures::executor::block_on(run().start().unwrap().next());
    assert_eq!(first.unwrap().unwrap(), 0);
}

/// What comes of a future that is dropped after every poll, and made anew, until it is ready.
macro_rules! nagged {
    ($future:expr) => {
        loop {
            let polled = pin!($future).poll(&mut Context::from_waker(Waker::noop()));
            match polled {
                Poll::Ready(found) => break found,
                Poll::Pending => thread::yield_now(),
            }
        }
    };
}

/// Case M85: `next` of runs, works, events and progress is cancel-safe: nothing is lost by dropping it.
#[test_with(alone)]
fn who_waits_for_the_next_may_be_dropped_at_any_moment() {
    let start = || asyn_pmap::<double>(0..500).processes(2).start().unwrap();
    let mut run = start();
    for n in 0..500 {
        assert_eq!(nagged!(run.next()).unwrap().unwrap(), 2 * n);
    }
    assert!(nagged!(run.next()).is_none());
    let (mut events, mut told) = (run.events(), 0);
    while nagged!(events.next()).is_some() {
        told += 1;
    }
    assert_eq!(told, run.events().into_iter().count());
    let mut run = start().indexed();
    for n in 0..500 {
        assert_eq!(nagged!(run.next()).unwrap().0, n);
    }
    let (progress, mut messages) = progress_queue(2000);
    let works = asyn_work_generator::<double>(500).progress_queue(progress);
    let (mut works, mut seen, mut told) = (works.processes(1).start().unwrap(), BTreeSet::new(), 0);
    while let Some((id, outcome)) = nagged!(works.next()) {
        assert_eq!(outcome.unwrap(), 2 * id);
        assert!(seen.insert(id));
    }
    assert_eq!(seen.len(), 500);
    drop(works);
    while nagged!(messages.next()).is_some() {
        told += 1;
    }
    assert_eq!(told, 1 + 500 + 500 + 1, "a context, and each work in it");
}

static AT_ONCE: AtomicU64 = AtomicU64::new(0);
static MOST: AtomicU64 = AtomicU64::new(0);

/// How many calls there are at once with this one, and whether they are in a runtime.
fn arrive() -> (u64, bool) {
    let at_once = AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(at_once, Ordering::SeqCst);
    (at_once, tokio::runtime::Handle::try_current().is_ok())
}

#[task]
fn arrives(_: u64) -> (u64, bool) {
    let arrived = arrive();
    thread::yield_now();
    AT_ONCE.fetch_sub(1, Ordering::SeqCst);
    arrived
}

/// Goes on when there have been four, and is not `Send` meanwhile.
#[task]
async fn arrives_async(_: u64) -> (u64, bool) {
    let arrived = Rc::new(arrive());
    while MOST.load(Ordering::SeqCst) < 4 {
        tokio::task::yield_now().await;
    }
    AT_ONCE.fetch_sub(1, Ordering::SeqCst);
    *arrived
}

/// Case M5: A plain `fn` runs one call at a time outside of any runtime; an `async fn` up to `max_concurrency` at
/// once inside tokio, and needs not be `Send`.
#[test_with(alone)]
fn plain_calls_are_one_at_a_time_outside_a_runtime_and_async_ones_are_many_inside() {
    let run = asyn_pmap::<arrives>(0..100).max_concurrency(4).processes(1);
    assert!(values(run).iter().all(|seen| *seen == (1, false)));
    let run = asyn_pmap::<arrives_async>(0..100).max_concurrency(4);
    let seen = values(run.processes(1));
    assert!(
        seen.iter()
            .all(|(at_once, inside)| *at_once <= 4 && *inside)
    );
    assert!(seen.iter().any(|(at_once, _)| *at_once == 4), "{seen:?}");
}

#[test_with(alone)]
fn more_outcomes_inside_a_runtime_than_its_budget_of_polls() {
    // One item at a time, so that each outcome comes alone and is polled for.
    let run = || asyn_pmap::<double>(0..1000).processes(1).capacity(1);
    let values = block_on(async { values(run()) });
    assert_eq!(values.iter().sum::<u64>(), 999_000);
}

/// Case R28: Out of order, outcomes come as they are ready: a slow item holds back only what waits behind it in its
/// worker.
#[test_with(in_folder)]
fn the_slowest_first(folder: Folder) {
    let run = |ordered| {
        let run = asyn_pmap::<first_waits_to_go>(0..500).shared(folder.clone());
        run.ordered(ordered).processes(2)
    };
    // One more may wait behind it in its worker; all others do not.
    let mut unordered = run(false).start().unwrap().into_iter();
    let others: Vec<u64> = unordered.by_ref().take(498).map(Result::unwrap).collect();
    assert!(!others.contains(&0));
    assert!(folder.first("go"));
    assert!(unordered.any(|value| value.unwrap() == 0));
    assert_eq!(values(run(true)), (0..500).collect::<Vec<_>>());
}

#[test_with(alone)]
fn two_runs_side_by_side() {
    let a = asyn_pmap::<double>(0..).processes(1).capacity(20);
    let b = asyn_pmap::<double>(0..500).processes(2);
    let pairs = a.start().unwrap().into_iter().zip(b.start().unwrap());
    let equal = pairs.filter(|(a, b)| a.as_ref().unwrap() == b.as_ref().unwrap());
    assert_eq!(equal.count(), 500);
}

/// Case M140: A task and an init may run runs of their own.
#[test_with(alone)]
fn a_run_inside_a_task() {
    let expected = [0, 0, 2, 6, 12];
    let report = complete(asyn_pmap::<sum_below>(0..5).processes(2), 5);
    assert_eq!(report.values(), expected);
    let report = complete(asyn_pmap::<sum_below_async>(0..5).processes(1), 5);
    assert_eq!(report.values(), expected);
    let run = asyn_pmap::<double>(0..5).init::<init_with_a_run>(());
    assert_eq!(complete(run.processes(1), 5).failed(), [0; 0]);
}

/// Case M75: `fail_fast` yields the first error, and then nothing.
#[test_with(alone)]
fn fail_fast_yields_the_error_and_then_nothing() {
    for processes in [1, 3] {
        let items = (0..).map(|n| if n == 10 { 11 } else { 2 * n });
        let run = asyn_pmap::<even>(items).fail_fast();
        let run = run.processes(processes).start().unwrap();
        let outcomes: Vec<_> = run.into_iter().collect();
        assert_eq!(outcomes.len(), 11);
        let error = outcomes[10].as_ref().unwrap_err();
        assert_eq!(error.index(), 10);
        assert!(matches!(error.kind(), TaskErrorKind::Raised(text) if text == "11 is odd"));
    }
}

#[test_with(alone)]
fn one_at_a_time_in_every_sense() {
    let run = || asyn_pmap::<double_async>(0..50).max_concurrency(1);
    let every_sense = run()
        .batch_size(1)
        .capacity(1)
        .byte_limits(ByteLimits::new().buffer_bytes(1));
    assert_eq!(complete(every_sense.processes(1), 50).failed(), [0; 0]);
    assert_eq!(complete(run().processes(2), 50).failed(), [0; 0]);
}

#[test_with(alone)]
fn an_observer_that_panics_loses_no_item() {
    let run = asyn_pmap::<double>(0..100).processes(2);
    assert_eq!(succeeded(run.observe(|event| panic!("{event:?}"))), 100);
}
