//! The same with single calls: from tasks and threads at once, with deadlines and cancels of their own.
//!
//! * `asked`: what a call is to be; `deed`: what it does in its worker, and the trace that it leaves there.
//! * `caller`: the tasks and threads that call.
//! * `watch`: looks for the workers, for the killer.
//! * `tally`: what became of every call, and whether it was gone when that was said; `figures`: it in figures.

mod asked;
mod caller;
mod deed;
mod figures;
mod tally;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use mt_pool::{Pool, limits::MemoryLimits};
use mt_test_kit::Folder;
use tokio::runtime::Runtime;

use super::{fault::MAX_RSS_BYTES, plan::Plan, targets::Targets, workplace};
use caller::Callers;
pub(super) use tally::Tally;

use crate::tasks::{mix, mixed, sleep_async};

/// The tasks that call.
const TASKS: u64 = 64;
/// The threads that call.
const THREADS: u64 = 8;
/// The most calls at once: fewer than callers make.
const PLACES: usize = 192;
/// The deaths that a call may have been running at.
const CRASH_LIMIT: u32 = 3;
/// Longer than anybody looks.
const LONG_MICROS: u64 = 60_000_000;
/// How long places may take to be free again after calls were dropped.
const SETTLE: Duration = Duration::from_secs(10);

fn pool(plan: &Plan, notes: &Folder) -> Result<Pool> {
    let builder = Pool::builder()
        .processes(plan.workers)
        .calls(PLACES)
        .crash_limit(CRASH_LIMIT)
        .memory(MemoryLimits::new().max_rss_bytes(MAX_RSS_BYTES))
        .workers(workplace::options(notes)?);
    builder.start().context("failed to start the pool")
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.worker_threads(2).enable_time().build();
    built.context("failed to make a runtime")
}

/// Quiet calls: what a process makes once and keeps is there after them.
pub(super) fn warm_up(plan: &Plan, notes: &Folder, calls: u64) -> Result<()> {
    let (pool, runtime) = (pool(plan, notes)?, runtime()?);
    runtime.block_on(async {
        for n in 0..calls {
            let value = pool.call::<mixed>(n).await;
            ensure!(matches!(value, Ok(value) if value == mix(n)), "{value:?}");
        }
        Ok(())
    })
}

/// Makes the calls and enters every outcome. When it returns, the pool is gone.
pub(super) fn drain(plan: &Plan, targets: &Arc<Targets>, notes: &Folder) -> Result<Tally> {
    let (pool, runtime) = (pool(plan, notes)?, runtime()?);
    let callers = Arc::new(Callers::new(*plan, notes.clone(), Arc::clone(targets)));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| watch::watch(targets, notes, &over));
        let tally = call_all(&callers, &pool, &runtime).and_then(|()| {
            drop(runtime);
            let callers = Arc::into_inner(callers).context("somebody still calls")?;
            let mut tally = callers.into_tally();
            tally.settle(notes)?;
            tally.places_off = PLACES.abs_diff(count_places(&pool)) as u64;
            tally.deaths = pool.stats().deaths;
            Ok(tally)
        });
        over.store(true, Relaxed);
        tally
    })
}

fn call_all(callers: &Arc<Callers>, pool: &Pool, runtime: &Runtime) -> Result<()> {
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (callers, pool) = (Arc::clone(callers), pool.clone());
            runtime.spawn(async move { callers.call_from_task(pool, number).await })
        })
        .collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let pool = pool.clone();
                scope.spawn(move || callers.call_from_thread(&pool))
            })
            .collect();
        let ended = threads.into_iter().map(|thread| {
            let ended = thread.join();
            ended.map_err(|_| anyhow!("a thread that calls has panicked"))?
        });
        ended.collect::<Result<()>>()
    })?;
    for task in tasks {
        runtime.block_on(task)??;
    }
    Ok(())
}

/// The calls for which there is room at once: places that were lost, or given back twice, tell.
fn count_places(pool: &Pool) -> usize {
    let until = Instant::now() + SETTLE;
    loop {
        let room = || pool.try_call::<sleep_async>(LONG_MICROS).ok();
        let taken: Vec<_> = (0..=PLACES).map_while(|_| room()).collect();
        if taken.len() == PLACES || Instant::now() > until {
            return taken.len();
        }
        drop(taken);
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const PLAN: Plan = Plan {
        tasks: 10_000,
        workers: 2,
        kills_per_s: 20,
        seed: 1,
        faults: 14,
        hive: false,
        calls: true,
        ordered: false,
    };
}
