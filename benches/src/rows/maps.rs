//! P1: a map of a task that does nothing, in batches of 1024. P2: the same with one item a batch, which
//! coalescing should make nearly as good.

use anyhow::{Context, Result};
use mt_pool::asyn_pmap;

use super::Row;
use crate::{
    echo::{Shape, raw_echo},
    measure::{Load, Pace, Sample},
    tasks::same,
};

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load::new(500_000, 10_000_000);

pub(super) fn rows() -> Vec<Row> {
    let row = |id, batch_size, reach, ordered| Row {
        id,
        variant: if ordered { "ordered" } else { "unordered" },
        title: format!(
            "asyn_pmap, no-op async u64 → u64, 2 workers, batch {batch_size}; against the raw echo of 1024 a frame"
        ),
        unit: "M items/s",
        reach,
        ours: Box::new(move || map(batch_size, ordered)),
        limit: Box::new(|| raw_echo(LOAD, Shape::BATCHES)),
    };
    vec![
        row("P1", 1024, 0.7, true),
        row("P1", 1024, 0.7, false),
        row("P2", 1, 0.4, true),
        row("P2", 1, 0.4, false),
    ]
}

/// Maps the load over two workers and checks the values.
fn map(batch_size: usize, ordered: bool) -> Result<Sample> {
    let mut pace = Pace::start(LOAD);
    let run = asyn_pmap::<same>(0..LOAD.total())
        .processes(2)
        .batch_size(batch_size)
        .ordered(ordered)
        .start()
        .context("failed to start the pool")?;
    let mut sum = 0u64;
    for outcome in run {
        sum = sum.wrapping_add(outcome.context("an item has no value")?);
        pace.add(1);
    }
    pace.finish(sum)
}
