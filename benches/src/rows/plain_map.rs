//! The plain map, which P1 and P2 run in two ways: a task that does nothing, over many small items.

use anyhow::{Context, Result};
use mt_pool::asyn_pmap;

use crate::{
    echo::{self, Shape},
    measure::{Load, Pace, Sample},
    tasks::same,
};

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load {
    warm_up: 500_000,
    items: 10_000_000,
};

/// The worker processes.
const WORKERS: usize = 2;

/// The frames of the limit: as many items as a batch, and enough in flight that neither side ever
/// waits for the other to be told.
const ECHO: Shape = Shape {
    items_per_frame: 1024,
    frames_in_flight: 8,
};

/// The map with these options.
pub(super) struct PlainMap {
    pub(super) batch_size: usize,
    pub(super) ordered: bool,
}

impl PlainMap {
    pub(super) fn variant(&self) -> &'static str {
        if self.ordered { "ordered" } else { "unordered" }
    }

    /// Maps the load and checks the values.
    pub(super) fn run(&self) -> Result<Sample> {
        let mut pace = Pace::start(LOAD);
        let run = asyn_pmap::<same>(0..LOAD.total())
            .pool_processes(WORKERS)
            .batch_size(self.batch_size)
            .pool_ordered(self.ordered)
            .start()
            .context("failed to start the pool")?;
        let mut sum = 0u64;
        for outcome in run {
            sum = sum.wrapping_add(outcome.context("an item has no value")?);
            pace.add(1);
        }
        let sample = pace.finish()?;
        anyhow::ensure!(sum == LOAD.sum(), "the pool gave back other values");
        Ok(sample)
    }

    /// The same load through the raw echo.
    pub(super) fn limit() -> Result<Sample> {
        echo::raw_echo(LOAD, ECHO)
    }
}
