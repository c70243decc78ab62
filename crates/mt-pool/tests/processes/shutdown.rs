//! Pools that are shut down.

use futures::{FutureExt, executor};
use mt_pool::{Pmap, PoolShutdown, StartError};

use crate::prelude::*;

fn pool(processes: usize) -> Pool {
    Pool::builder().processes(processes).start().unwrap()
}

/// What becomes of two runs, each with an item that goes on until it is told, when their pool is shut down.
fn shut_down(
    grace: Duration,
    lets_go: bool,
    end: impl FnOnce(&Pool) -> PoolShutdown + Send,
) -> PoolShutdown {
    let (pool, folder) = (pool(2), Folder::temp());
    let start = || {
        asyn_pmap::<waits_to_go>(0..)
            .shared(folder.clone())
            .processes(1)
    };
    let runs = [(); 2].map(|()| start().pool(&pool).start().unwrap());
    let begun = |run: &Pmap<_>| {
        run.stats()
            .workers
            .iter()
            .any(|worker| worker.items_started > 0)
    };
    wait_until(|| runs.iter().all(begun));
    let told = thread::scope(|scope| {
        let ending = scope.spawn(|| end(&pool));
        assert!(!lets_go || folder.first("go"));
        ending.join().unwrap()
    });
    assert_eq!((pool.workers(), children()), (0, vec![]), "{grace:?}");
    assert_eq!(pool.shutdown_blocking(grace), PoolShutdown::default());
    let finished: Vec<_> = runs
        .into_iter()
        .map(|run| run.into_iter().filter(Result::is_ok).count())
        .collect();
    assert!(
        finished.iter().all(|&done| (done > 0) == lets_go),
        "{finished:?}"
    );
    told
}

/// Case M159: A pool that is shut down lets what runs finish within the grace, cancels the rest, tells so, and has no
/// worker left, on any executor.
#[test_with(alone)]
fn a_pool_that_is_shut_down_tells_what_it_has_come_to() {
    let (long, none) = (FOR_EVER, Duration::ZERO);
    let async_io = |pool: &Pool, grace| executor::block_on(pool.shutdown(grace));
    for (grace, cancelled_runs) in [(long, 0), (none, 2)] {
        let graceful = cancelled_runs == 0;
        let blocking = |pool: &Pool| pool.shutdown_blocking(grace);
        for told in [
            shut_down(grace, graceful, blocking),
            shut_down(grace, graceful, |pool| async_io(pool, grace)),
            shut_down(grace, graceful, |pool| block_on(pool.shutdown(grace))),
            // A future that was dropped has begun it, and a shorter grace counts.
            shut_down(grace, graceful, |pool| {
                let _ = pool.shutdown(long).now_or_never();
                pool.shutdown_blocking(grace)
            }),
        ] {
            assert_eq!(
                (told.runs, told.cancelled_runs, told.workers),
                (2, cancelled_runs, 2)
            );
            assert_eq!(told.is_graceful(), graceful);
        }
    }
}

/// Case M160: A pool with nothing to do is shut down at once, whatever the grace, and so are workers that wait.
#[test_with(alone)]
fn an_idle_pool_is_shut_down_at_once() {
    let pool = pool(2);
    assert_eq!(succeeded(asyn_pmap::<pid>(0..100).pool(&pool)), 100);
    let told = pool.shutdown_blocking(FOR_EVER);
    assert_eq!((told.runs, told.cancelled_runs), (0, 0));
    assert_eq!(children(), [0_u32; 0]);
    let refused = asyn_pmap::<pid>(0..1).pool(&pool).start().unwrap_err();
    assert!(matches!(refused, StartError::PoolClosed));
}
