//! What a run does when nothing goes wrong.

use std::{fmt::Debug, time::Duration};

use futures::StreamExt;
use mt_pool::{AsynPmap, Task, asyn_pmap, asyn_pmap_with, from_stream, inline_task};

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

#[tokio::test]
async fn a_stream_in_and_a_stream_out() {
    let input = futures::stream::iter(0..3000u64);
    let run = asyn_pmap::<double_async>(from_stream(input)).processes(2);
    let values = run.start().unwrap().map(Result::unwrap);
    assert_eq!(values.fold(0, async |a, b| a + b).await, 2999 * 3000);
}

#[test]
fn errors_are_items() {
    let run = asyn_pmap::<shifted>(0..100).shared(50).processes(2);
    let outcomes = run.start().unwrap().into_iter();
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (50, 50));
    let error = bad[7].as_ref().unwrap_err();
    assert_eq!(error.index(), 7);
    assert_eq!(error.to_string(), "item 7: 7 is less than 50");
}

#[test]
fn an_inline_task() {
    let task = inline_task!(|x: u32| -> u32 { x + 1 });
    assert_eq!(values(asyn_pmap_with(task, [1, 2, 3])), [2, 3, 4]);
}

#[test]
fn nothing_in_nothing_out_and_no_process() {
    let mut outcomes = asyn_pmap::<double>([]).start().unwrap().into_iter();
    assert!(outcomes.next().is_none());
    assert_eq!(outcomes.stats().workers_started, 0);
}
