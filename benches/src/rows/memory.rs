//! P9: what an idle worker has in memory, and by how much processes grow over ten million items.

use std::{sync::mpsc, time::Instant};

use anyhow::{Context, Result};
use mt_pool::{Pool, asyn_pmap, events::PoolEvent};

use super::{Missing, Reach, Row, constant, pooled};
use crate::{Effort, measure::Sample, memory, proc, tasks::same};

const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let row = |variant: &str, title: &str| Row {
        id: "P9",
        variant: variant.to_owned(),
        title: format!("what workers have in memory: {title}"),
        unit: "MiB",
        reach: Reach::AtMost(1.0),
        ours: Box::new(idle_worker),
        limit: constant(6.0),
        peers: Vec::new(),
    };
    let items = effort.count(10_000_000);
    vec![
        row("idle", "an idle one that has worked; against 6 MiB"),
        Row {
            ours: Box::new(move || growth(items)),
            limit: constant(1.0),
            ..row(
                "growth",
                "the growth of the process that grows most, over 10 million items; against 1 MiB",
            )
        },
    ]
}

fn idle_worker() -> Result<Sample> {
    needs_linux()?;
    let begun = Instant::now();
    let pool = Pool::builder().processes(1).keep(1).start()?;
    let (sender, pids) = mpsc::channel();
    let run = asyn_pmap::<same>(0..1000)
        .pool(&pool)
        .observe(move |event| {
            if let PoolEvent::WorkerStarted { pid, .. } = event {
                // The receiver outlives the run.
                let _ = sender.send(*pid);
            }
        });
    pooled::sum(run)?;
    let pid = pids.try_recv().context("the pool has no worker")?;
    let resident = proc::resident_bytes(pid)?.context("the worker has ended")?;
    let value = resident as f64 / MIB;
    Ok(Sample::taken(value, begun.elapsed()))
}

fn growth(items: u64) -> Result<Sample> {
    needs_linux()?;
    let begun = Instant::now();
    let value = memory::most_growth_bytes(items, 2)? as f64 / MIB;
    Ok(Sample::taken(value, begun.elapsed()))
}

pub(super) fn needs_linux() -> Result<()> {
    if cfg!(target_os = "linux") {
        return Ok(());
    }
    Err(Missing("a system with /proc".to_owned()).into())
}
