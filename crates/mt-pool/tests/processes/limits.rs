//! Limits of options, items and results.

use crate::{prelude::*, scene::works};

#[task]
fn echo(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[task]
fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

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
