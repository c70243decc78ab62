//! P6: from nothing to the first result, and to nothing again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mt_beehive::hive_of;

use super::{Reach, Row};
use crate::{
    Effort,
    echo::bare_start,
    measure::Sample,
    tasks::{Echoer, EchoerTasks},
};

/// The runs of one sample; their median counts.
const RUNS: usize = 15;

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let runs = effort.pick(RUNS, 1);
    vec![Row {
        id: "P6",
        variant: "beehive".to_owned(),
        title: "a whole run of a hive whose only task does nothing, as runs a second; against starting this program \
                and waiting for its exit. The seed: 0.1 runs/s"
            .to_owned(),
        unit: "runs/s",
        reach: Reach::AtLeast(1.0 / 2.0),
        ours: Box::new(move || median_of(runs, whole_run)),
        limit: Box::new(move || median_of(runs, bare_start)),
        peers: Vec::new(),
    }]
}

fn whole_run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let run = hive_of::<Echoer>(()).run(async |hive| anyhow::Ok(hive.same(7).await?));
    let result = runtime.block_on(run).context("failed to run the hive")?;
    ensure!(result == 7, "{result}");
    Ok(())
}

fn median_of(runs: usize, run: fn() -> Result<()>) -> Result<Sample> {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let begun = Instant::now();
        run()?;
        times.push(begun.elapsed());
    }
    Ok(Sample::of_median(times, begun, Duration::from_secs(1)))
}
