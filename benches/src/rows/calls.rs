//! P3c: single calls on a warm pool, one at a time, many in flight, and beside threads.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures::{StreamExt, stream};
use mt_pool::Pool;
use tokio::runtime::Runtime;

use super::{Reach, Row, constant, pooled::warm_pool};
use crate::{
    Effort,
    cpu::{Job, processors},
    echo::round_trips,
    measure::{Load, Pace, Sample},
    tasks::{same, spin},
};

/// Enough single calls for a median that stays where it is.
const SINGLE: Load = Load::new(2_000, 10_000);
/// Enough calls in flight for a run of half a second and more.
const MANY: Load = Load::new(20_000, 400_000);
/// The calls in flight.
const IN_FLIGHT: usize = 1024;
/// The calls of a millisecond in flight: more than there are workers, so that none waits for the caller.
const FEW_IN_FLIGHT: usize = 16;

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let (few, many) = (effort.load(SINGLE), effort.load(MANY));
    let row = |variant: &str, title: &str| Row {
        id: "P3c",
        variant: variant.to_owned(),
        title: format!("single calls on a warm pool: {title}"),
        unit: "k calls/s",
        reach: Reach::AtLeast(0.5),
        ours: Box::new(move || one_at_a_time(few)),
        limit: Box::new(move || round_trips(few)),
        peers: Vec::new(),
    };
    let job = move || Job::of(effort.count(1_000), Duration::from_millis(1));
    vec![
        row(
            "one at a time",
            "a no-op, 1 worker, the median, as calls a second; against the round trip of a byte through tokio and a socket \
             pair",
        ),
        Row {
            reach: Reach::AtLeast(1.0),
            unit: "M calls/s",
            ours: Box::new(move || many_at_once(many)),
            limit: constant(0.5),
            ..row(
                "1024 in flight",
                "a no-op, 2 workers; against half a million a second",
            )
        },
        Row {
            reach: Reach::AtLeast(0.95),
            unit: "k calls/s",
            ours: Box::new(move || busy_calls(job())),
            limit: Box::new(move || busy_threads(job())),
            ..row(
                "1 ms",
                "a plain fn of 1 ms, 16 in flight, as many workers as processors; against `spawn_blocking` with as many threads",
            )
        },
    ]
}

fn runtime() -> Result<Runtime> {
    let built = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(processors())
        .build();
    built.context("failed to make a runtime")
}

/// A pool whose workers have all been called.
fn called_pool(workers: usize) -> Result<Pool> {
    let pool = warm_pool::<same>(workers)?;
    let calls: Vec<_> = (0..100 * workers as u64)
        .map(|n| pool.call::<same>(n).spawn())
        .collect();
    for call in calls {
        call.wait()
            .map_err(|error| anyhow!("a call has no value: {error}"))?;
    }
    Ok(pool)
}

fn one_at_a_time(load: Load) -> Result<Sample> {
    let pool = called_pool(1)?;
    runtime()?.block_on(async {
        let begun = Instant::now();
        let mut times = Vec::with_capacity(load.items as usize);
        for n in 0..load.total() {
            let asked = Instant::now();
            let result = pool.call::<same>(n).await;
            let time = asked.elapsed();
            ensure!(matches!(&result, Ok(m) if *m == n), "{n}: {result:?}");
            if n >= load.warm_up {
                times.push(time);
            }
        }
        Ok(Sample::of_median(times, begun, Duration::from_millis(1)))
    })
}

fn many_at_once(load: Load) -> Result<Sample> {
    let pool = called_pool(2)?;
    runtime()?.block_on(async {
        let mut pace = Pace::start(load);
        let calls = stream::iter(0..load.total()).map(|n| pool.call::<same>(n).into_future());
        let mut ended = calls.buffer_unordered(IN_FLIGHT);
        let mut sum = 0_u64;
        while let Some(result) = ended.next().await {
            sum = sum.wrapping_add(result.map_err(|error| anyhow!("{error}"))?);
            pace.add(1);
        }
        pace.finish(sum)
    })
}

fn busy_calls(job: Job) -> Result<Sample> {
    let pool = called_pool(processors())?;
    let runtime = runtime()?;
    job.timed(|| {
        runtime.block_on(async {
            let calls = stream::iter(job.tasks()).map(|n| pool.call::<spin>(n).into_future());
            let mut ended = calls.buffer_unordered(FEW_IN_FLIGHT);
            let mut sum = 0_u64;
            while let Some(result) = ended.next().await {
                sum += result.map_err(|error| anyhow!("{error}"))?;
            }
            Ok(sum)
        })
    })
}

fn busy_threads(job: Job) -> Result<Sample> {
    let runtime = runtime()?;
    job.timed(|| {
        runtime.block_on(async {
            let tasks = stream::iter(job.tasks());
            let calls = tasks.map(|n| tokio::task::spawn_blocking(move || spin(n)));
            let mut ended = calls.buffer_unordered(FEW_IN_FLIGHT);
            let mut sum = 0_u64;
            while let Some(result) = ended.next().await {
                sum += result?;
            }
            Ok(sum)
        })
    })
}
