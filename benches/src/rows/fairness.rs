//! P3c, beside a flood: what somebody who asks now and then waits while another has thousands of calls in the queue.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use futures::{FutureExt, StreamExt, stream};
use mt_pool::{Pool, Task, task::Never};

use super::{Reach, Row, Run, pooled::warm_pool};
use crate::{
    Effort,
    cpu::{processors, rounds_in},
    measure::{Sample, percentile_ms},
    tasks::{sleep, spin},
};

/// The calls that are in the queue or run, all of one caller.
const FLOOD: usize = 4096;
/// The outcomes of the flood after which it is one.
const FLOODED: u64 = 64;
/// The pauses of who asks now and then, in milliseconds: of several lengths, so that no call falls into step with the flood.
const PAUSES_MS: [u64; 5] = [1, 2, 3, 5, 7];
/// How often somebody looks how far the flood is.
const LOOK: Duration = Duration::from_millis(1);
/// The microseconds of a sleep beside which it does not matter what else the machine does.
const LONG_MICROS: u64 = 10_000;

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let asked = effort.pick(1_000, 50);
    let row = |what: &str, ours: Run, limit: Run| Row {
        id: "P3c",
        variant: format!("beside a flood, {what}"),
        title: format!(
            "single calls on a warm pool: the 99th percentile of who asks for one at a time, with pauses, while another \
             caller has 4096 in the queue; plain fns of {what}, as many workers as processors; against what a call of the \
             flood takes in its worker"
        ),
        unit: "ms",
        reach: Reach::AtMost(3.0),
        ours,
        limit,
        peers: Vec::new(),
    };
    let rounds = || rounds_in(Duration::from_millis(1));
    let sleeps = |micros, asked| {
        let ours: Run = Box::new(move || beside_a_flood::<sleep>(micros, asked));
        let limit: Run = Box::new(move || service_time::<sleep>(micros, asked));
        (ours, limit)
    };
    let (short, long) = (sleeps(1_000, asked), sleeps(LONG_MICROS, asked / 4));
    vec![
        row(
            "1 ms",
            Box::new(move || beside_a_flood::<spin>(rounds(), asked)),
            Box::new(move || service_time::<spin>(rounds(), asked)),
        ),
        row("1 ms of sleep", short.0, short.1),
        row("10 ms of sleep", long.0, long.1),
    ]
}

/// What a call takes in a worker when all have always one, in milliseconds: the machine may do other things too.
fn service_time<T>(input: u64, calls: u64) -> Result<Sample>
where
    T: Task<Input = u64, Output = u64, Error = Never>,
{
    let workers = processors();
    let pool = warm_pool::<spin>(workers)?;
    with_flood::<T, _>(&pool, input, |ended| {
        let (before, begun) = (ended(), Instant::now());
        while ended() < before + calls {
            thread::sleep(LOOK);
        }
        let (count, taken) = (ended() - before, begun.elapsed());
        let each = taken.as_secs_f64() * workers as f64 / count as f64;
        Ok(Sample::taken(1e3 * each, taken))
    })
}

fn beside_a_flood<T>(input: u64, asked: u64) -> Result<Sample>
where
    T: Task<Input = u64, Output = u64, Error = Never>,
{
    let pool = warm_pool::<spin>(processors())?;
    with_flood::<T, _>(&pool, input, |_| {
        let begun = Instant::now();
        let times = ask::<T>(&pool, input, asked)?;
        Ok(Sample::taken(percentile_ms(&times, 0.99), begun.elapsed()))
    })
}

/// Does something while another caller floods the pool; it is given how many calls of the flood have ended.
fn with_flood<T, R>(
    pool: &Pool,
    input: u64,
    meanwhile: impl FnOnce(&dyn Fn() -> u64) -> Result<R>,
) -> Result<R>
where
    T: Task<Input = u64, Output = u64, Error = Never>,
{
    let (ended, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let flooding = pool.clone();
        let flood = scope.spawn(|| {
            let flooded = flood::<T>(flooding, input, &ended, &over);
            // Nobody waits for the calls of a flood that has failed.
            flooded.inspect_err(|_| ended.store(u64::MAX / 2, Relaxed))
        });
        while ended.load(Relaxed) < FLOODED {
            thread::sleep(LOOK);
        }
        let done = meanwhile(&|| ended.load(Relaxed));
        over.store(true, Relaxed);
        let flood = flood.join();
        flood.map_err(|_| anyhow!("the flood has panicked"))??;
        done
    })
}

/// Keeps the queue full.
fn flood<T>(pool: Pool, input: u64, ended: &AtomicU64, over: &AtomicBool) -> Result<()>
where
    T: Task<Input = u64, Output = u64, Error = Never>,
{
    let calls = stream::repeat(()).map(|()| pool.call::<T>(input).into_future());
    let mut calls = calls.buffer_unordered(FLOOD);
    while !over.load(Relaxed) {
        let outcome = calls.next().map(|it| it.context("a flood has no end"));
        let outcome = futures::executor::block_on(outcome)?;
        ensure!(outcome.is_ok(), "{outcome:?}");
        ended.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// Asks for one call after the other, and says how long each took.
fn ask<T>(pool: &Pool, input: u64, asked: u64) -> Result<Vec<Duration>>
where
    T: Task<Input = u64, Output = u64, Error = Never>,
{
    let pauses = PAUSES_MS.into_iter().cycle().map(Duration::from_millis);
    let ask = |pause| {
        thread::sleep(pause);
        let begun = Instant::now();
        let outcome = pool.call::<T>(input).wait();
        ensure!(outcome.is_ok(), "{outcome:?}");
        Ok(begun.elapsed())
    };
    pauses.take(asked as usize).map(ask).collect()
}
