//! Inputs of every kind: empty, endless, slow, panicking, lying.

use std::{
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, stream};
use mt_pool::{Pmap, from_stream};
use tokio::runtime::Builder;

use crate::prelude::*;

#[test_with(alone)]
fn nothing() {
    let report = complete(asyn_pmap::<double>(iter::empty()), 0);
    assert_eq!(report.stats.workers_started, 0);
}

/// Case M38: There are never more workers than items.
#[test_with(alone)]
fn fewer_items_than_workers() {
    for items in 1..=4 {
        let report = complete(asyn_pmap::<double>(0..items).processes(8), items);
        assert_eq!(report.failed(), [0; 0]);
        assert!(report.stats.workers_started <= items);
    }
}

#[test_with(alone)]
fn an_input_that_panics() {
    for k in [0, 1, 5, 3000] {
        let input = (0..).inspect(move |&n| assert_ne!(n, k, "no more"));
        let report = complete(asyn_pmap::<double>(input).processes(2), k + 1);
        assert_eq!(report.failed(), [k as usize]);
        let kind = report.kind(k as usize);
        assert_is!(kind, TaskErrorKind::InputPanicked(why) if why.contains("no more"));
    }
}

#[test_with(alone)]
fn a_stream_that_panics() {
    let input = stream::iter(0..).inspect(|&n| assert_ne!(n, 5, "no more"));
    let report = complete(asyn_pmap::<double>(from_stream(input)), 6);
    assert_eq!(report.failed(), [5]);
}

/// Lies about its length, in both directions, and goes on after its end.
struct Liar(u64, (usize, Option<usize>));

impl Iterator for Liar {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 += 1;
        (self.0 != 101).then_some(self.0 - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

#[test_with(alone)]
fn an_input_that_lies_about_its_length() {
    for hint in [(0, Some(0)), (usize::MAX, None), (7, Some(3))] {
        let report = complete(asyn_pmap::<double>(Liar(0, hint)).processes(2), 100);
        assert_eq!(report.failed(), [0; 0]);
    }
}

/// Case R24: An input may be endless.
#[test_with(alone)]
fn an_endless_input_is_left_when_the_run_is_dropped() {
    fn is_left<T: Task<Input = u64>>(ordered: bool) {
        let run = asyn_pmap::<T>(0..).processes(2).ordered(ordered);
        let run = run.start().unwrap().into_iter();
        assert_eq!(run.take(5000).filter(Result::is_ok).count(), 5000);
    }
    for ordered in [true, false] {
        is_left::<double>(ordered);
        is_left::<double_async>(ordered);
    }
}

/// Each item is only put in when the outcome of the one before is out: nothing waits for company.
///
/// Case R25: An input may be slow or block: what it has given is done and told at once, without waiting for company.
#[test_with(alone)]
fn an_input_that_blocks_holds_back_nothing_that_is_done() {
    let (put, taken) = mpsc::channel();
    let run = asyn_pmap::<double>(taken).processes(2);
    let mut outcomes = run.start().unwrap().into_iter();
    for n in 0..100 {
        put.send(n).unwrap();
        assert_eq!(outcomes.next().unwrap().unwrap(), 2 * n);
    }
    drop(put);
    assert!(outcomes.next().is_none());
}

/// Case M83: Dropping a run does not wait for an input that blocks.
#[test_with(alone)]
fn dropping_does_not_wait_for_an_input_that_blocks() {
    let (put, taken) = mpsc::channel();
    put.send(1).unwrap();
    let run = asyn_pmap::<double>(taken.into_iter()).start().unwrap();
    let mut outcomes = run.into_iter();
    assert_eq!(outcomes.next().unwrap().unwrap(), 2);
    drop(outcomes);
    drop(put);
}

/// What was pulled and not yet taken out is never more than the capacity.
fn bounded(capacity: usize, ordered: bool, buffer_bytes: usize, processes: usize) {
    let pulled = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&pulled);
    let input = (0..300_u64).inspect(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let run = asyn_pmap::<double>(input)
        .capacity(capacity)
        .byte_limits(ByteLimits::new().buffer_bytes(buffer_bytes));
    let run = run.ordered(ordered).processes(processes);
    let mut run = run.start().unwrap().into_iter();
    let mut taken = 0;
    while let Some(outcome) = {
        let ahead = pulled.load(Ordering::SeqCst) - taken;
        assert!(ahead <= capacity as u64, "{ahead} of {capacity}");
        run.next()
    } {
        outcome.unwrap();
        taken += 1;
    }
    assert_eq!(taken, 300);
}

/// Case M65: No more items than `capacity` are between input and consumer, at any instant.
#[test_with(alone)]
fn a_slow_consumer_bounds_everything() {
    for capacity in [1, 2, 3, 10, 1000] {
        for ordered in [true, false] {
            bounded(capacity, ordered, 1 << 20, 2);
            bounded(capacity, ordered, 1, 2);
        }
    }
    bounded(1, true, 1, 1);
}

/// How a run is ended that waits for a stream.
type EndRun = fn(Pmap<double>);

const ENDS: [EndRun; 3] = [
    drop,
    |run| {
        run.handle().cancel();
        assert!(run.into_iter().count() <= 1, "it may have pulled one");
    },
    |run| {
        run.handle().close();
        assert!(run.into_iter().all(|outcome| outcome.is_ok()));
    },
];

/// Yields one item and no more, and says when it is dropped.
struct Quiet(Option<u64>, Arc<AtomicU64>);

impl Stream for Quiet {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u64>> {
        self.0
            .take()
            .map_or(Poll::Pending, |n| Poll::Ready(Some(n)))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends forty runs of a stream that has nothing more to yield, in every way, and waits until the streams and the
/// threads that pull them are gone.
fn leave_quiet_streams() {
    let dropped = Arc::new(AtomicU64::new(0));
    let mut made = 0;
    let pool = Pool::builder().processes(2).start().unwrap();
    for end in ENDS {
        for _ in 0..13 {
            let input = from_stream(Quiet(Some(1), Arc::clone(&dropped)));
            let run = asyn_pmap::<double>(input).processes(1).pool(&pool);
            made += 1;
            end(run.start().unwrap());
        }
        wait_until(|| dropped.load(Ordering::Relaxed) == made && threads_named("mt-feeder") == 0);
    }
    let input = from_stream(Quiet(Some(1), Arc::clone(&dropped)));
    let run = asyn_pmap::<double>(input).pool(&pool).start().unwrap();
    pool.close();
    assert!(run.into_iter().all(|outcome| outcome.is_ok()));
    wait_until(|| dropped.load(Ordering::Relaxed) == made + 1 && threads_named("mt-feeder") == 0);
}

/// Case 37: A stream that yields nothing is dropped with its run, and its thread ends.
#[test_with(alone)]
fn a_stream_that_yields_nothing_is_left() {
    leave_quiet_streams();
    // Inside a runtime, of one thread or of more, streams are polled there.
    for runtime in [
        &mut Builder::new_current_thread(),
        &mut Builder::new_multi_thread(),
    ] {
        with_timers(runtime).block_on(async { leave_quiet_streams() });
    }
}

/// Case 37: A stream that yields nothing is dropped when its run ends early by an error.
#[test_with(alone)]
fn a_stream_that_yields_nothing_is_left_when_a_run_fails_fast() {
    let dropped = Arc::new(AtomicU64::new(0));
    let input = from_stream(Quiet(Some(1), Arc::clone(&dropped)));
    let run = asyn_pmap::<never_works>(input).fail_fast().start().unwrap();
    assert_eq!(run.into_iter().filter(Result::is_err).count(), 1);
    wait_until(|| dropped.load(Ordering::Relaxed) == 1 && threads_named("mt-feeder") == 0);
}

#[task]
fn never_works(_: u64) -> Result<u64, String> {
    Err("no".into())
}

/// A timer of the runtime it is made in.
fn ticks(most: usize) -> impl Stream<Item = u64> + Send {
    let interval = tokio::time::interval(Duration::from_millis(1));
    let ticks = stream::unfold((interval, 0), |(mut interval, n)| async move {
        interval.tick().await;
        Some((n, (interval, n + 1)))
    });
    ticks.take(most)
}

fn with_timers(runtime: &mut Builder) -> tokio::runtime::Runtime {
    runtime.enable_all().build().unwrap()
}

/// Case 5: A blocking loop in a current-thread runtime whose timer the input waits for ends with `InputBlocked`.
#[test_with(alone)]
fn a_stream_whose_runtime_is_blocked_by_the_loop() {
    let one_thread = with_timers(&mut Builder::new_current_thread());
    one_thread.block_on(async {
        for indexed in [true, false] {
            let run = asyn_pmap::<double>(from_stream(ticks(50))).start().unwrap();
            let outcomes: Vec<_> = match indexed {
                true => run
                    .indexed()
                    .into_iter()
                    .map(|(_, outcome)| outcome)
                    .collect(),
                false => run.into_iter().collect(),
            };
            let (last, before) = outcomes.split_last().unwrap();
            assert!(before.iter().all(Result::is_ok));
            let error = last.as_ref().unwrap_err();
            assert_is!(error.kind(), TaskErrorKind::InputBlocked);
            assert_eq!(error.index(), before.len() as u64);
            assert!(error.to_string().contains("next().await"), "{error}");
        }
        // What needs no timer comes, and so does what is awaited.
        let run = asyn_pmap::<double>(from_stream(stream::iter(0..100)));
        assert_eq!(succeeded(run), 100);
        let run = asyn_pmap::<double>(from_stream(ticks(5))).start().unwrap();
        assert_eq!(
            run.filter(|outcome| std::future::ready(outcome.is_ok()))
                .count()
                .await,
            5
        );
    });
}

/// Case 5: Where another thread turns the runtime, a blocking loop gets all outcomes.
#[test_with(alone)]
fn a_stream_whose_runtime_another_thread_turns() {
    let many = with_timers(Builder::new_multi_thread().worker_threads(2));
    let run = || asyn_pmap::<double>(from_stream(ticks(5)));
    assert_eq!(many.block_on(async { succeeded(run()) }), 5);
    let spawned = many.spawn(async move { succeeded(run()) });
    assert_eq!(many.block_on(spawned).unwrap(), 5);
    let one = with_timers(&mut Builder::new_current_thread());
    let elsewhere = one.block_on(async move {
        let run = run().start().unwrap();
        let looping = move || run.into_iter().filter(Result::is_ok).count();
        tokio::task::spawn_blocking(looping).await.unwrap()
    });
    assert_eq!(elsewhere, 5);
}
