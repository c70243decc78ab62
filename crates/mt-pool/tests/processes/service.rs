//! A task as a service of `tower`, below the layers of that crate.

use std::{future::Future, hint, path::PathBuf, process, thread, time::Duration};

use futures::poll;
use mt_pool::{
    Pool, StartError, TaskError, TaskErrorKind, limits::Deadline, service::CallService, task,
    task::Never,
};
use mt_test_kit::{Folder, is_gone, wait_until, watchdog};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt, load_shed::error::Overloaded,
    timeout::error::Elapsed,
};

#[task]
fn double(n: u64) -> u64 {
    2 * n
}

#[task]
fn aborts(_: ()) {
    process::abort()
}

/// Goes on until the folder has a file named `go`; leaves one that is named like it.
#[task]
fn holds(folder: PathBuf, name: String) -> String {
    let folder = Folder::at(folder);
    folder.first(&name);
    while !folder.exists("go") {
        thread::yield_now();
    }
    name
}

/// Leaves the number of its process.
#[task]
fn never_ends(folder: PathBuf) {
    Folder::at(folder).note("process", u64::from(process::id()));
    loop {
        hint::spin_loop();
    }
}

fn pool(workers: usize) -> Pool {
    Pool::builder().processes(workers).start().expect("a pool")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// Case M184: A service is `Clone`, `Send` and `Sync`, and so may be its future sent, whatever the task.
#[test]
fn a_service_goes_wherever_a_layer_wants_it() {
    fn check<T: Clone + Send + Sync + 'static + Service<u64, Future: Send>>(_: &T) {}
    let _watchdog = watchdog("a service that is cloned");
    let service = pool(1).service::<double>();
    check(&service);
    let calls = (0..8).map(|n| service.clone().oneshot(n));
    let doubled = block_on(futures::future::try_join_all(calls)).unwrap();
    assert_eq!(doubled, [0, 2, 4, 6, 8, 10, 12, 14]);
    assert_eq!(service.pool().workers(), 1);
}

/// Case M185: The deadlines of a service are those of each of its calls.
#[test]
fn deadlines_are_set_once_for_all_calls() {
    let _watchdog = watchdog("a service with deadlines");
    let (pool, folder) = (pool(1), Folder::temp());
    let limit = Duration::from_millis(100);
    let late = pool.service::<never_ends>().deadline(limit);
    let short = Duration::from_millis(1);
    let hasty = pool.service::<double>().queue_deadline(short);
    let (late, waits) = block_on(async {
        let running = tokio::spawn(late.oneshot(folder.path().into()));
        wait_until(|| folder.exists("process"));
        let waits = hasty.oneshot(1).await;
        (running.await.unwrap(), waits)
    });
    for (error, deadline) in [
        (late.unwrap_err(), Deadline::Hard),
        (waits.unwrap_err(), Deadline::Queue),
    ] {
        assert!(
            matches!(error.kind(), TaskErrorKind::TimedOut { deadline: told, .. } if *told == deadline),
            "{error}"
        );
    }
}

/// Case M186: Below `concurrency_limit` a service is not ready while so many calls go on, and `load_shed` above it sheds.
#[test]
fn a_limit_holds_back_and_sheds() {
    let _watchdog = watchdog("limited services");
    let (pool, folder) = (pool(3), Folder::temp());
    let input = |name: &str| (folder.path().to_owned(), name.to_owned());
    block_on(async {
        let limited = ServiceBuilder::new()
            .concurrency_limit(2)
            .service(pool.service::<holds>());
        let running = ["one", "two"].map(|name| tokio::spawn(limited.clone().oneshot(input(name))));
        wait_until(|| folder.exists("one") && folder.exists("two"));
        let mut waiting = limited.clone();
        assert!(poll!(waiting.ready()).is_pending());
        let shedding = ServiceBuilder::new().load_shed().service(limited);
        let shed: BoxError = shedding.oneshot(input("three")).await.unwrap_err();
        assert!(shed.is::<Overloaded>(), "{shed}");
        folder.first("go");
        for (call, name) in running.into_iter().zip(["one", "two"]) {
            assert_eq!(call.await.unwrap().unwrap(), name);
        }
        let last = waiting.ready().await.unwrap().call(input("four")).await;
        assert_eq!(last.unwrap(), "four");
        assert!(!folder.exists("three"), "never called");
    });
}

/// Case M187: `timeout` cancels the call: its process is ended, and the pool goes on.
#[test]
fn a_timeout_ends_what_runs() {
    let _watchdog = watchdog("a service with a timeout");
    let (pool, folder) = (pool(1), Folder::temp());
    block_on(async {
        let timed = ServiceBuilder::new()
            .timeout(Duration::from_millis(300))
            .service(pool.service::<never_ends>());
        let error = timed.oneshot(folder.path().into()).await.unwrap_err();
        assert!(error.is::<Elapsed>(), "{error}");
        if let Some(&process) = folder.noted("process").first() {
            wait_until(|| is_gone(process as u32));
        }
        assert_eq!(pool.service::<double>().oneshot(4).await.unwrap(), 8);
    });
}

/// Case M188: What a call comes to goes through layers as the call's own error; of a closed pool, too.
#[test]
fn layers_hand_on_the_calls_own_error() {
    fn kind(error: &BoxError) -> &TaskErrorKind<Never> {
        error.downcast_ref::<TaskError<Never>>().unwrap().kind()
    }
    fn boxed<T: mt_pool::Task<Error = Never>>(
        service: CallService<T>,
    ) -> impl Service<T::Input, Response = T::Output, Error = BoxError> {
        let long = Duration::from_secs(60);
        ServiceBuilder::new()
            .timeout(long)
            .load_shed()
            .service(service)
    }
    let _watchdog = watchdog("errors of services");
    let pool = pool(1);
    block_on(async {
        let error = boxed(pool.service::<aborts>())
            .oneshot(())
            .await
            .unwrap_err();
        assert!(
            matches!(kind(&error), TaskErrorKind::Crashed { .. }),
            "{error}"
        );
        pool.close();
        let error = boxed(pool.service::<double>())
            .oneshot(1)
            .await
            .unwrap_err();
        assert!(
            matches!(kind(&error), TaskErrorKind::NotStarted(why) if matches!(**why, StartError::PoolClosed)),
            "{error}"
        );
    });
}

#[task]
fn scales(#[shared] by: &u64, n: u64) -> u64 {
    by * n
}

/// Case M248: A prepared task is a service too.
#[test]
fn a_prepared_task_is_a_service() {
    let _watchdog = watchdog("a prepared service");
    let scales = pool(1).task::<scales>().shared(5).prepare().unwrap();
    assert_eq!(block_on(scales.service().oneshot(3)).unwrap(), 15);
}
