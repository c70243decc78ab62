//! The end of a pool, with a time for what goes on.

use std::{pin::pin, time::Duration};

use mt_proto::guarded;
use tokio::{sync::oneshot, time::timeout};

use super::{GoingRun, Pool};
use crate::{input::Asked, wait::wait_here};

/// What became of a pool that was shut down, see [`Pool::shutdown`]. All of its workers are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolShutdown {
    /// The runs that went on when it began.
    pub runs: usize,
    /// How many of these were not over after the grace, and were cancelled.
    pub cancelled_runs: usize,
    /// The workers there were when it began, working or waiting.
    pub workers: usize,
}

impl PoolShutdown {
    /// Whether all that workers had was finished within the grace: no run had to be cancelled.
    #[must_use]
    pub fn is_graceful(&self) -> bool {
        self.cancelled_runs == 0
    }
}

impl Pool {
    /// Ends the pool: starts no further run; in those that go on workers finish what they have, and the rest is
    /// `Cancelled` (see [`drain`](Self::drain)); what is not over after `grace` is [cancelled](Self::cancel). Then idle
    /// workers are told to go, and those that stay are killed a second later. Ends when every worker is gone.
    ///
    /// Outcomes can be taken before, meanwhile or afterwards. `grace` is from now on; zero cancels at once. May be called
    /// more than once, at the same time too: the shortest grace counts, each call is told what it has found itself. A
    /// [global](Self::global) pool that was shut down is so for good.
    ///
    /// Works on any executor, and blocks no thread. Dropping the future once it was polled changes nothing: the shutdown
    /// goes on. An [observer](crate::AsynPmap::observe) that does not return holds it up.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mt_pool::{Pool, asyn_pmap};
    /// # #[mt_pool::task] fn double(n: u32) -> u32 { 2 * n }
    /// # #[mt_pool::main]
    /// # fn main() -> anyhow::Result<()> {
    /// let pool = Pool::builder().processes(2).start()?;
    /// let run = asyn_pmap::<double>(0..10).pool(&pool).start()?;
    /// assert_eq!(run.into_iter().count(), 10);
    /// let end = pool.shutdown_blocking(Duration::from_secs(30));
    /// assert!(end.is_graceful() && pool.workers() == 0);
    /// assert!(asyn_pmap::<double>(0..10).pool(&pool).start().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(&self, grace: Duration) -> PoolShutdown {
        let (mut report, cancelled_runs) = self.begin_shutdown(grace);
        // Without it the pool's thread has ended: another call has shut the pool down.
        report.cancelled_runs = cancelled_runs.await.unwrap_or_default();
        self.inner.ended.over().await;
        report
    }

    /// The same as [`shutdown`](Self::shutdown), and blocks the thread. Inside async code it holds up a thread of the
    /// executor for as long.
    pub fn shutdown_blocking(&self, grace: Duration) -> PoolShutdown {
        let mut shutdown = pin!(self.shutdown(grace));
        // guarded: a future of ours.
        wait_here(|cx| shutdown.as_mut().poll(cx))
    }

    /// What is known at once, and how many runs will have been cancelled.
    fn begin_shutdown(&self, grace: Duration) -> (PoolShutdown, oneshot::Receiver<usize>) {
        let idle_workers = self.shared_workers();
        let workers = self.workers();
        let runs = self.end_runs(Asked::Drain);
        let report = PoolShutdown {
            runs: runs.len(),
            cancelled_runs: 0,
            workers,
        };
        let (tell, cancelled_runs) = oneshot::channel();
        self.inner.runtime.spawn(async move {
            let cancelled = end(&runs, grace).await;
            // Wakes who waits, by a waker that is user code.
            let _ = guarded(|| tell.send(cancelled));
            // The last thing that this thread does: then its runtime ends.
            idle_workers.close();
        });
        (report, cancelled_runs)
    }
}

/// Sees runs that drain to their end, and cancels those that are not over after the grace. Returns how many those are.
async fn end(runs: &[GoingRun], grace: Duration) -> usize {
    if timeout(grace, over(runs)).await.is_ok() {
        return 0;
    }
    let late = runs.iter().filter(|run| !run.end.is_over());
    let late: Vec<_> = late.collect();
    for run in &late {
        run.ask(Asked::Cancel);
    }
    over(runs).await;
    late.len()
}

async fn over(runs: &[GoingRun]) {
    for run in runs {
        run.end.over().await;
    }
}
