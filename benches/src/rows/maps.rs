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
    tasks::{same, same_plain},
};

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load::new(500_000, 10_000_000);
/// The same for plain functions.
const PLAIN_LOAD: Load = Load::new(100_000, 2_000_000);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let (load, plain) = (effort.load(LOAD), effort.load(PLAIN_LOAD));
    let both = [true, false].into_iter();
    let rows = both.flat_map(|ordered| {
        let row = |id, style, batch_size, reach, ours| Row {
            id,
            variant: if ordered { "ordered" } else { "unordered" }.to_owned(),
            title: format!(
                "asyn_pmap, no-op {style} u64 → u64, 2 workers, batch {batch_size}; against the raw echo of 1024 a frame"
            ),
            unit: "M items/s",
            reach: Reach::AtLeast(reach),
            ours,
            limit: Box::new(move || raw_echo(load, Shape::BATCHES)),
        };
        let batches: Run = Box::new(move || map::<same>(load, 1024, ordered));
        let plain: Run = Box::new(move || map::<same_plain>(plain, 1024, ordered));
        let items: Run = Box::new(move || map::<same>(load, 1, ordered));
        [
            row("P1", "async fn", 1024, 0.6, batches),
            row("P1s", "plain fn", 1024, 0.5, plain),
            row("P2", "async fn", 1, 0.5, items),
        ]
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by_key(|row| row.id);
    rows
}

/// Maps a load over two workers and checks the values.
fn map<T>(load: Load, batch_size: usize, ordered: bool) -> Result<Sample>
where
    T: Task<Input = u64, Output = u64, Error: Debug + Display>,
{
    let mut pace = Pace::start(load);
    let run = asyn_pmap::<T>(0..load.total())
        .processes(2)
        .batch_size(batch_size)
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
