//! P5: bodies of a mebibyte, in and out.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mt_pool::asyn_pmap;

use super::{Reach, Row};
use crate::{
    Effort,
    echo::bulk_echo,
    measure::{Load, Sample},
    peers,
    tasks::same_body,
};

const BODY_BYTES: usize = 1 << 20;
/// A gibibyte and more, each way.
const LOAD: Load = Load::new(64, 1024);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let load = effort.load(LOAD);
    vec![Row {
        id: "P5",
        variant: "socket".to_owned(),
        title: "1 MiB in and out, 2 workers; against the bulk echo of bytes".to_owned(),
        unit: "GB/s each way",
        reach: Reach::AtLeast(0.7),
        ours: Box::new(move || map(load)),
        limit: Box::new(move || bulk_echo(load, BODY_BYTES)),
        peers: peers::of_bodies(effort, BODY_BYTES, 2),
    }]
}

fn map(load: Load) -> Result<Sample> {
    let begun = Instant::now();
    let bodies = (0..load.total()).map(|_| vec![7; BODY_BYTES]);
    let run = asyn_pmap::<same_body>(bodies).processes(2).start();
    let run = run.context("failed to start the pool")?;
    let mut warm = begun;
    for (number, outcome) in run.into_iter().enumerate() {
        if number as u64 == load.warm_up {
            warm = Instant::now();
        }
        let body = outcome.context("an item has no value")?;
        ensure!(
            body.len() == BODY_BYTES && body.ends_with(&[7]),
            "the results have other values"
        );
    }
    let seconds = warm.elapsed().as_secs_f64();
    let value = load.items as f64 * BODY_BYTES as f64 / seconds / 1e9;
    Ok(Sample::taken(value, begun.elapsed()))
}
