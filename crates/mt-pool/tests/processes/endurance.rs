//! Much of everything: runs, output, closes; and items of nothing.

use std::io::Write;

use mt_pool::StartError;
use mt_test_kit::{descriptors, own_bytes, thread_count};

use crate::prelude::*;

/// Prints so many MiB on standard output.
#[task]
fn prints(mebibytes: usize) -> usize {
    let mut out = std::io::stdout().lock();
    let line = [[b'x'; 1023].as_slice(), b"\n"].concat();
    (0..mebibytes * 1024).for_each(|_| out.write_all(&line).unwrap());
    mebibytes
}

/// Case P3: A task that prints 100 MB on standard output harms nobody.
#[test_with(in_folder)]
fn a_hundred_megabytes_on_standard_output(folder: Folder) {
    let program = folder.worker_program("program", &[], "mt_pool_worker");
    let workers = WorkerOptions::new().program(program);
    let run = asyn_pmap::<prints>([0, 100, 0, 1]).processes(2);
    assert_eq!(values(run.workers(workers)), [0, 100, 0, 1]);
}

/// The memory this process holds, its threads, and its descriptors.
fn holds() -> (u64, usize, usize) {
    let mebibytes = own_bytes() >> 20;
    (mebibytes, thread_count(), descriptors().len())
}

/// Case P4: Thousands of short runs, on a pool and each with a process of its own, leave memory, threads and descriptors as they were.
#[test_with(alone)]
fn thousands_of_short_runs() {
    let pool = Pool::builder().processes(1).start().unwrap();
    let on_pool = || assert_eq!(values(asyn_pmap::<double>(0..3).pool(&pool)), [0, 2, 4]);
    let alone = || assert_eq!(values(asyn_pmap::<double>(0..3).processes(1)), [0, 2, 4]);
    (0..200).for_each(|_| on_pool());
    (0..20).for_each(|_| alone());
    let (memory, threads, files) = holds();
    (0..2000).for_each(|_| on_pool());
    (0..50).for_each(|_| alone());
    wait_until(|| holds().1 <= threads && holds().2 <= files);
    let after = holds().0;
    assert!(after <= memory + 4, "{memory} MiB, then {after} MiB");
}

/// Case P7: A pool that is closed while runs start and go on refuses a run or gives every outcome of it.
#[test_with(alone)]
fn a_close_that_races_with_runs() {
    for round in 0..60_u64 {
        let pool = Pool::builder().processes(2).start().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        match asyn_pmap::<double>(0..50).pool(&pool).start() {
                            Err(StartError::PoolClosed) => return,
                            Err(other) => panic!("{other}"),
                            // What had been pulled when it was closed.
                            Ok(run) => run.into_iter().zip(0..).for_each(|(outcome, n)| {
                                let cancelled = |error: &TaskError<_>| {
                                    matches!(error.kind(), TaskErrorKind::Cancelled)
                                };
                                match outcome {
                                    Ok(value) => assert_eq!(value, 2 * n),
                                    Err(error) => assert!(cancelled(&error), "{error}"),
                                }
                            }),
                        }
                    }
                });
            }
            (0..round * 1000).for_each(|_| std::hint::spin_loop());
            match round % 2 {
                0 => pool.close(),
                _ => pool.cancel(),
            }
        });
    }
}

#[task]
fn nothing((): ()) {}

#[task]
async fn nothing_async((): ()) {}

/// Case P8: Items and results that have no bytes are items and results like any other.
#[test_with(alone)]
fn items_of_nothing() {
    for count in [0, 1, 5000] {
        assert_eq!(succeeded(asyn_pmap::<nothing>(vec![(); count])), count);
        assert_eq!(
            succeeded(asyn_pmap::<nothing_async>(vec![(); count])),
            count
        );
    }
}
