//! P1: a map of a task that does nothing, in batches of 1024. P1s: the same with a plain function. P2: as P1 with one item
//! a batch, which coalescing should make nearly as good.

use std::fmt::{Debug, Display};

use anyhow::{Context, Result, anyhow};
use mt_pool::{Task, asyn_pmap};

use super::{Reach, Row, Run};
use crate::{
    Effort,
    echo::{Shape, raw_echo},
    measure::{Load, Pace, Sample},
    peers,
    tasks::{same, same_plain},
};

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load::new(500_000, 10_000_000);
/// The same for plain functions.
const PLAIN_LOAD: Load = Load::new(100_000, 2_000_000);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let (load, plain) = (effort.load(LOAD), effort.load(PLAIN_LOAD));
    let row = |id, style, (batch_size, ordered): (u64, bool), reach, ours| {
        let order = if ordered { "ordered" } else { "unordered" };
        Row {
            id,
            variant: format!("batch {batch_size}, {order}"),
            title: format!(
                "asyn_pmap, no-op {style} u64 → u64, 2 workers; against the raw echo of 1024 a frame"
            ),
            unit: "M items/s",
            reach: Reach::AtLeast(reach),
            ours,
            limit: Box::new(move || raw_echo(load, Shape::BATCHES)),
            // Once for each batch: results of peers come in order.
            peers: match (style, ordered) {
                ("async fn", true) => peers::of_no_op(effort, load, 2, batch_size),
                _ => Vec::new(),
            },
        }
    };
    let mut rows = Vec::new();
    for (id, way, reach) in [
        ("P1", (1024, true), 0.6),
        ("P1", (1024, false), 0.6),
        ("P2", (1, true), 0.5),
        ("P2", (1, false), 0.5),
        ("P2", (64, true), 0.5),
    ] {
        let ours: Run = Box::new(move || map::<same>(load, way));
        rows.push(row(id, "async fn", way, reach, ours));
    }
    for way in [(1024, true), (1024, false)] {
        let ours: Run = Box::new(move || map::<same_plain>(plain, way));
        rows.push(row("P1s", "plain fn", way, 0.5, ours));
    }
    rows
}

/// Maps a load over two workers and checks the values.
fn map<T>(load: Load, (batch_size, ordered): (u64, bool)) -> Result<Sample>
where
    T: Task<Input = u64, Output = u64, Error: Debug + Display>,
{
    let mut pace = Pace::start(load);
    let run = asyn_pmap::<T>(0..load.total())
        .processes(2)
        .batch_size(batch_size as usize)
        .ordered(ordered)
        .start()
        .context("failed to start the pool")?;
    let mut sum = 0u64;
    for outcome in run {
        let value = outcome.map_err(|error| anyhow!("an item has no value: {error}"))?;
        sum = sum.wrapping_add(value);
        pace.add(1);
    }
    pace.finish(sum)
}
