//! Jobs in workers that are there and warm before the clock starts, so that their start is not on it.

use std::{
    fmt::{Debug, Display},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use mt_pool::{AsynPmap, Pool, Task, asyn_pmap};

use crate::{cpu::Job, measure::Sample, tasks::sleep};

/// How often a pool may be given as many tasks as it has places for workers until it has them all.
const ROUNDS_TO_START: usize = 20;

/// Does a job with a task over so many workers. The clock runs from before the call that starts the run until after the
/// last outcome.
pub(super) fn pooled<T>(job: Job, workers: usize, ordered: bool) -> Result<Sample>
where
    T: Task<Input = u64, Output = u64, Error: Debug + Display>,
{
    let pool = warm_pool::<T>(workers)?;
    job.timed(|| sum(asyn_pmap::<T>(job.tasks()).ordered(ordered).pool(&pool)))
}

/// A pool whose workers have all worked.
pub(super) fn warm_pool<T>(workers: usize) -> Result<Pool>
where
    T: Task<Input = u64, Output = u64, Error: Debug + Display>,
{
    let pool = Pool::builder().processes(workers).keep(workers).start()?;
    let warm_up = Job::of(20 * workers as u64, Duration::from_millis(1));
    sum(asyn_pmap::<T>(warm_up.tasks()).pool(&pool))?;
    Ok(pool)
}

/// A pool whose workers have all been started, and have nothing to do.
pub(super) fn idle_pool(workers: usize) -> Result<Pool> {
    let pool = Pool::builder().processes(workers).keep(workers).start()?;
    for _ in 0..ROUNDS_TO_START {
        // So long that no worker does the tasks of one that has yet to start.
        let sleeps = vec![50_000; 2 * workers];
        sum(asyn_pmap::<sleep>(sleeps).processes(workers).pool(&pool))?;
        if pool.workers() == workers {
            return Ok(pool);
        }
    }
    bail!("the pool has {} workers, not {workers}", pool.workers());
}

/// Runs it to its end: what the outcomes add up to.
pub(super) fn sum<T>(run: AsynPmap<T>) -> Result<u64>
where
    T: Task<Input = u64, Output = u64, Error: Debug + Display>,
{
    let mut sum = 0_u64;
    for outcome in run.start().context("failed to start the pool")? {
        sum += outcome.map_err(|error| anyhow!("an item has no value: {error}"))?;
    }
    Ok(sum)
}
