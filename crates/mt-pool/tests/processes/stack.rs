//! How much stack user code has, wherever it runs.

use mt_pool::{NoContext, limits::WorkerOptions};

use crate::prelude::*;

/// What `main` has anyway, less what is above a task.
const USUAL_MIB: u64 = 7;

/// Uses so much stack.
fn dive(mib: u64) -> u64 {
    fn deeper(left: u64) -> u64 {
        let mut block = [0_u8; 64 << 10];
        std::hint::black_box(&mut block)[0] = left as u8;
        match left {
            0 => 0,
            _ => deeper(left - 1) + u64::from(block[0] == left as u8),
        }
    }
    deeper(mib * 16) / 16
}

#[task]
fn dives(mib: u64) -> u64 {
    dive(mib)
}

#[task]
async fn dives_async(mib: u64) -> u64 {
    tokio::task::yield_now().await;
    dive(mib)
}

#[task]
fn dives_first(mib: u64) {
    dive(mib);
}

fn check(workers: &WorkerOptions, mib: u64) {
    fn check<T: Task<Input = u64, Output = u64, Error = Never, Context = NoContext>>(
        workers: &WorkerOptions,
        mib: u64,
    ) {
        let run = asyn_pmap::<T>([mib; 2])
            .init::<dives_first>(mib)
            .exit::<dives>(mib);
        let run = run.workers(workers.clone()).processes(1).crash_limit(1);
        assert_eq!(complete(run, 2).values(), [mib; 2]);
    }
    check::<dives>(workers, mib);
    check::<dives_async>(workers, mib);
}

/// Workers begin here, inside a runtime: for the test runner this is nothing.
#[test]
fn worker_in_a_runtime() {
    if mt_pool::__private::is_worker_process() {
        block_on(async { mt_pool::init() });
    }
}

fn in_a_runtime(folder: &Folder) -> WorkerOptions {
    WorkerOptions::new().program(folder.worker_program(
        "program",
        &[],
        "stack::worker_in_a_runtime",
    ))
}

/// Case 21: What has room on the stack in `main` has room in tasks and hooks, also where `init` is called inside a runtime.
#[test_with(in_folder)]
fn tasks_have_the_stack_that_main_has(folder: Folder) {
    check(&WorkerOptions::new(), USUAL_MIB);
    check(&in_a_runtime(&folder), USUAL_MIB);
}

/// Case 21: The stack of tasks is an option of their workers.
#[test_with(in_folder)]
fn tasks_have_the_stack_they_are_given(folder: Folder) {
    for workers in [WorkerOptions::new(), in_a_runtime(&folder)] {
        check(&workers.stack_bytes(100 << 20), 99);
    }
    for bytes in [0, 65535, u64::MAX] {
        let workers = WorkerOptions::new().stack_bytes(bytes);
        let (option, _) = refused(asyn_pmap::<dives>([1]).workers(workers).start());
        assert_eq!(option, "workers.stack_bytes");
    }
}

/// Case 21: A worker that waits in a pool is used again only by runs that want the stack it has.
#[test_with(alone)]
fn shared_workers_have_the_stack_of_each_run() {
    let pool = Pool::builder().processes(1).start().unwrap();
    for mib in [1, 50, 1, 50] {
        let run = asyn_pmap::<dives>([mib]).pool(&pool);
        let run = run.workers(WorkerOptions::new().stack_bytes((mib + 1) << 20));
        assert_eq!(values(run), [mib]);
    }
}
