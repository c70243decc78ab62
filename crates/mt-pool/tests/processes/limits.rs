//! Limits of options, items and results.

use mt_test_kit::peak_bytes;

use crate::{prelude::*, scene::works};

#[task]
fn echo(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[task]
fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Case M66: The limits of the bytes of an item and of a result are exact.
#[test_with(alone)]
fn item_and_result_limits_are_exact() {
    // A length byte or two and the bytes.
    for (limit, fits) in [(100, 99), (1000, 998)] {
        let sizes = [fits - 1, fits, fits + 1];
        let items: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![7; size]).collect();
        let run = asyn_pmap::<echo>(items).byte_limits(ByteLimits::new().max_item_bytes(limit));
        let items = complete(run, 3);
        let results = complete(
            asyn_pmap::<long>(sizes).byte_limits(ByteLimits::new().max_result_bytes(limit)),
            3,
        );
        assert_eq!((items.failed(), results.failed()), (vec![2], vec![2]));
        for kind in [items.kind(2), results.kind(2)] {
            assert_is!(kind, TaskErrorKind::TooLarge { limit_bytes } if *limit_bytes == limit as u64);
        }
    }
}

#[test_with(alone)]
fn a_body_larger_than_any_socket_buffer() {
    let sizes = [10, 20 << 20, 0, 3 << 20];
    let items = sizes.map(|size| vec![1; size]);
    let run = asyn_pmap::<echo>(items)
        .byte_limits(ByteLimits::new().buffer_bytes(1))
        .processes(2);
    let lengths = complete(run, 4)
        .values()
        .into_iter()
        .map(|bytes| bytes.len());
    assert!(lengths.eq(sizes));
}

/// Case P8: An option of zero is refused by its name.
#[test_with(alone)]
fn zeros_are_refused_by_name() {
    let new = || asyn_pmap::<long>([1]);
    for (run, name) in [
        (new().batch_size(0), "batch_size"),
        (new().max_concurrency(0), "max_concurrency"),
        (new().processes(0), "processes"),
        (new().pool_maxtasksperchild(0), "recycle.after_batches"),
        (new().capacity(0), "capacity"),
        (new().crash_limit(0), "crash_limit"),
    ] {
        assert_eq!(refused(run.start()).0, name);
        works();
    }
}

const MIB: usize = 1 << 20;

/// The first takes its time, the others return much.
#[task]
fn first_slow_others_long(n: u64) -> String {
    if n == 0 {
        thread::sleep(Duration::from_millis(500)); // work: is what the others wait for
    }
    "x".repeat(if n == 0 { 1 } else { MIB })
}

#[task]
async fn first_slow_others_long_async(n: u64) -> String {
    if n == 0 {
        tokio::time::sleep(Duration::from_millis(500)).await; // work: is what the others wait for
    }
    "x".repeat(if n == 0 { 1 } else { MIB })
}

const ITEMS: u64 = 120;

/// Runs it to its end, on a consumer that takes its time before it takes the second outcome.
fn memory_of_long_results<T>(ordered: bool, slow_consumer: bool) -> u64
where
    T: Task<Input = u64, Output = String, Error: Debug>,
{
    let before = peak_bytes();
    let run = asyn_pmap::<T>(0..ITEMS).processes(2).ordered(ordered);
    let run = run.byte_limits(ByteLimits::new().buffer_bytes(4 * MIB));
    let mut run = run.start().unwrap().into_iter();
    let mut taken = 0;
    for outcome in run.by_ref() {
        outcome.unwrap();
        taken += 1;
        if slow_consumer && taken == 1 {
            thread::sleep(Duration::from_millis(500)); // work: a consumer that takes its time
        }
    }
    assert_eq!(taken, ITEMS);
    peak_bytes() - before
}

/// The rest is what workers had in hand, what was on the way, and what the allocator keeps.
///
/// Case 25: Results that wait for a slow item, or for a slow consumer, use no more of the host's memory than `buffer_bytes` says.
#[test_with(alone)]
fn long_results_that_wait_are_bounded() {
    for used in [
        memory_of_long_results::<first_slow_others_long>(true, false),
        memory_of_long_results::<first_slow_others_long_async>(true, false),
        memory_of_long_results::<first_slow_others_long>(true, true),
        memory_of_long_results::<first_slow_others_long>(false, true),
        memory_of_long_results::<first_slow_others_long_async>(false, true),
    ] {
        let mebibytes = used / MIB as u64;
        assert!(mebibytes < 60, "{mebibytes} MiB");
    }
}

/// Every result is longer than all that may wait.
///
/// Case 25: A result that is longer than `buffer_bytes` goes through, whoever else waits.
#[test_with(alone)]
fn one_result_always_fits() {
    let tiny = ByteLimits::new().buffer_bytes(1);
    for ordered in [true, false] {
        let run = asyn_pmap::<double>(0..200).processes(3).ordered(ordered);
        let mut doubled = values(run.byte_limits(tiny));
        doubled.sort_unstable();
        assert_eq!(doubled, (0..200).map(|n| 2 * n).collect::<Vec<_>>());
        let run = asyn_pmap::<double_async>(0..200)
            .processes(3)
            .ordered(ordered);
        assert_eq!(succeeded(run.byte_limits(tiny)), 200);
    }
}
