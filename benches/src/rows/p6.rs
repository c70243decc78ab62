//! P6: from nothing to the first result, and to nothing again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mt_beehive::{TaskResult, hive_of};

use super::Row;
use crate::{
    echo,
    measure::Sample,
    tasks::{Echoer, EchoerTasks},
};

/// The runs of one sample; their median counts.
const RUNS: usize = 15;

/// The row.
pub(super) struct P6;

impl Row for P6 {
    fn id(&self) -> &'static str {
        "P6"
    }

    fn variant(&self) -> &'static str {
        "beehive"
    }

    fn title(&self) -> &'static str {
        "a whole run of a hive whose only task does nothing, as runs a second; against starting this program \
         and waiting for its exit. The seed: 0.1 runs/s"
    }

    fn unit(&self) -> &'static str {
        "runs/s"
    }

    fn reach(&self) -> f64 {
        1.0 / 3.0
    }

    fn ours(&self) -> Result<Sample> {
        median_of(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            let run = hive_of::<Echoer>(()).run(async |hive| hive.same(7).await.0);
            let result = runtime.block_on(run).context("failed to run the hive")?;
            anyhow::ensure!(result == TaskResult::Succeeded(7), "{result:?}");
            Ok(())
        })
    }

    fn limit(&self) -> Result<Sample> {
        median_of(echo::bare_start)
    }
}

fn median_of(mut run: impl FnMut() -> Result<()>) -> Result<Sample> {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begun = Instant::now();
        run()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let median: Duration = times[RUNS / 2];
    Ok(Sample {
        value: 1.0 / median.as_secs_f64(),
        whole: begun.elapsed(),
    })
}
