//! What a run does when nothing goes wrong.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use mt_pool::{AsynPmap, StartError, Task, asyn_pmap, asyn_pmap_with, from_stream, inline_task};

mt_pool::test_worker!();

#[mt_pool::task]
fn double(n: u64) -> u64 {
    2 * n
}

#[mt_pool::task]
async fn double_async(n: u64) -> u64 {
    2 * n
}

#[mt_pool::task]
async fn double_slowly(n: u64) -> u64 {
    tokio::time::sleep(Duration::from_micros(n % 7 * 100)).await; // work: waits as a task would
    2 * n
}

#[mt_pool::task]
fn shifted(#[shared] by: &u64, n: u64) -> Result<u64, String> {
    n.checked_sub(*by)
        .ok_or_else(|| format!("{n} is less than {by}"))
}

fn values<T: Task<Error: Debug>>(run: AsynPmap<T>) -> Vec<T::Output> {
    let run = run.start().expect("nothing is out of range");
    run.into_iter().map(Result::unwrap).collect()
}

/// Case R27: Outcomes come in the order of the input, however many workers there are.
#[test]
fn every_item_has_its_value_in_order() {
    for processes in [1, 2, 8] {
        let values = values(asyn_pmap::<double>(0..10_000).processes(processes));
        assert!(values.into_iter().eq((0..10_000).map(|n| 2 * n)));
    }
}

#[test]
fn unordered_has_the_same_values() {
    for processes in [1, 2, 8] {
        let run = asyn_pmap::<double_slowly>(0..5_000).processes(processes);
        let run = run.ordered(false).start().unwrap().indexed().into_iter();
        let mut values: Vec<_> = run.map(|(index, value)| (index, value.unwrap())).collect();
        values.sort_unstable();
        assert!(values.into_iter().eq((0..5_000).map(|n| (n, 2 * n))));
    }
}

#[test]
fn ordered_async_with_waits() {
    let values = values(asyn_pmap::<double_slowly>(0..5_000).processes(2));
    assert!(values.into_iter().eq((0..5_000).map(|n| 2 * n)));
}

/// Case R26: Input and outcomes may be streams.
#[tokio::test]
async fn a_stream_in_and_a_stream_out() {
    let input = futures::stream::iter(0..3000u64);
    let run = asyn_pmap::<double_async>(from_stream(input)).processes(2);
    let values = run.start().unwrap().map(Result::unwrap);
    assert_eq!(values.fold(0, async |a, b| a + b).await, 2999 * 3000);
}

/// Case M89: An error is the outcome of its item, knows its index, and says its text once.
#[test]
fn errors_are_items() {
    let run = asyn_pmap::<shifted>(0..100).shared(50).processes(2);
    let outcomes = run.start().unwrap().into_iter();
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (50, 50));
    let error = bad[7].as_ref().unwrap_err();
    assert_eq!(error.index(), 7);
    assert_eq!(error.to_string(), "item 7: 7 is less than 50");
    assert!(
        std::error::Error::source(error).is_none(),
        "it is told once"
    );
}

/// Case M27: A run that is refused has taken nothing from its input.
#[test]
fn what_is_refused_takes_nothing_from_the_input() {
    let pulled = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&pulled);
    let input = (0..).inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let refused = asyn_pmap::<double>(input).crash_limit(0).start();
    assert!(matches!(
        refused,
        Err(StartError::Option {
            option: "crash_limit",
            ..
        })
    ));
    assert_eq!(pulled.load(Ordering::Relaxed), 0);
}

#[test]
fn an_inline_task() {
    let task = inline_task!(|x: u32| -> u32 { x + 1 });
    assert_eq!(values(asyn_pmap_with(task, [1, 2, 3])), [2, 3, 4]);
}

/// Case M39: Without items no process is started.
#[test]
fn nothing_in_nothing_out_and_no_process() {
    let mut outcomes = asyn_pmap::<double>([]).start().unwrap().into_iter();
    assert!(outcomes.next().is_none());
    assert_eq!(outcomes.stats().workers_started, 0);
}
