//! Inputs of every kind: empty, endless, slow, panicking, lying.

use std::sync::mpsc;

use futures::{StreamExt, stream};
use mt_pool::from_stream;

use crate::prelude::*;

#[test_with(alone)]
fn nothing() {
    let report = complete(asyn_pmap::<double>(iter::empty()), 0);
    assert_eq!(report.stats.workers_started, 0);
}

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
