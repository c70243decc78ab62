//! P8: many tasks that sleep in one worker. P12: what many workers cost the parent.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mt_pool::asyn_pmap;

use super::{Reach, Row, constant, pooled};
use crate::{
    Effort,
    measure::Sample,
    platform,
    tasks::{sleep, sleep_async},
};

const SLEEPS: u64 = 1024;
const SLEEP: Duration = Duration::from_millis(100);
/// How long a task of P12 sleeps.
const SHORT_SLEEP: Duration = Duration::from_millis(10);
/// The tasks for each worker of P12: a second of sleep.
const TASKS_PER_WORKER: u64 = 100;

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let many = Row {
        id: "P8",
        variant: "async fn".to_owned(),
        title: format!(
            "{SLEEPS} sleeps of 100 ms in one worker, from its start on; against 100 ms"
        ),
        unit: "ms",
        reach: Reach::AtMost(1.1),
        ours: Box::new(all_at_once),
        limit: constant(SLEEP.as_secs_f64() * 1e3),
        peers: Vec::new(),
    };
    let (few, some, full) = effort.pick((2, 32, 256), (2, 4, 8));
    let of_parent = |workers| Row {
        id: "P12",
        variant: format!("{workers} workers"),
        title: format!(
            "processor time of the parent for each task, plain fn that sleeps 10 ms; against that with {few} workers"
        ),
        unit: "µs/task",
        reach: Reach::AtMost(2.0),
        ours: Box::new(move || parents_time(workers, effort)),
        limit: Box::new(move || parents_time(few, effort)),
        peers: Vec::new(),
    };
    vec![many, of_parent(some), of_parent(full)]
}

fn all_at_once() -> Result<Sample> {
    let begun = Instant::now();
    let micros = SLEEP.as_micros() as u64;
    let items = (0..SLEEPS).map(move |_| micros);
    let sum = pooled::sum(asyn_pmap::<sleep_async>(items).processes(1))?;
    ensure!(sum == SLEEPS * micros, "the results have other values");
    let whole = begun.elapsed();
    let value = whole.as_secs_f64() * 1e3;
    Ok(Sample::taken(value, whole))
}

fn parents_time(workers: usize, effort: Effort) -> Result<Sample> {
    let begun = Instant::now();
    let micros = SHORT_SLEEP.as_micros() as u64;
    let count = workers as u64 * effort.count(TASKS_PER_WORKER);
    let pool = pooled::idle_pool(workers).context("failed to start the pool")?;
    let before = platform::processor_time();
    let items = (0..count).map(move |_| micros);
    let sum = pooled::sum(asyn_pmap::<sleep>(items).processes(workers).pool(&pool))?;
    let spent = platform::processor_time() - before;
    ensure!(sum == count * micros, "the results have other values");
    let value = spent.as_secs_f64() * 1e6 / count as f64;
    Ok(Sample::taken(value, begun.elapsed()))
}
