//! Limits of options, items and results.

use mt_pool::{StartError, TaskErrorKind, asyn_pmap, task};

use crate::{
    report::complete,
    scene::{check, works},
};

#[task]
fn echo(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[task]
fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn item_and_result_limits_are_exact() {
    check(|| {
        // A length byte or two and the bytes.
        for (limit, fits) in [(100, 99), (1000, 998)] {
            let sizes = [fits - 1, fits, fits + 1];
            let items: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![7; size]).collect();
            let run = asyn_pmap::<echo>(items).max_item_bytes(limit);
            let report = complete(run, 3);
            assert_eq!(report.failed(), [2]);
            too_large(report.error(2).kind(), limit);
            let report = complete(asyn_pmap::<long>(sizes).max_result_bytes(limit), 3);
            assert_eq!(report.failed(), [2]);
            too_large(report.error(2).kind(), limit);
        }
    });
}

fn too_large<E: std::fmt::Debug>(kind: &TaskErrorKind<E>, limit: usize) {
    let limit = limit as u64;
    assert!(
        matches!(kind, TaskErrorKind::TooLarge { limit_bytes } if *limit_bytes == limit),
        "{kind:?}"
    );
}

#[test]
fn a_body_larger_than_any_socket_buffer() {
    check(|| {
        let sizes = [10, 20 << 20, 0, 3 << 20];
        let items = sizes.map(|size| vec![1; size]);
        let report = complete(
            asyn_pmap::<echo>(items).buffer_bytes(1).pool_processes(2),
            4,
        );
        for (outcome, size) in report.outcomes.iter().zip(sizes) {
            assert_eq!(outcome.as_ref().unwrap().len(), size);
        }
    });
}

#[test]
fn zeros_are_refused_by_name() {
    check(|| {
        let new = || asyn_pmap::<long>([1]);
        for (run, name) in [
            (new().batch_size(0), "batch_size"),
            (new().max_concurrency(0), "max_concurrency"),
            (new().pool_processes(0), "pool_processes"),
            (new().pool_maxtasksperchild(0), "pool_maxtasksperchild"),
            (new().capacity(0), "capacity"),
            (new().buffer_bytes(0), "buffer_bytes"),
            (new().max_item_bytes(0), "max_item_bytes"),
            (new().max_result_bytes(0), "max_result_bytes"),
            (new().crash_limit(0), "crash_limit"),
        ] {
            match run.start() {
                Err(StartError::Option { option, .. }) => assert_eq!(option, name),
                other => panic!("{name}: {other:?}"),
            }
            works();
        }
    });
}
