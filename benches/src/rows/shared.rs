//! P5s: a gibibyte that all workers read, and nobody writes.

use std::{fs, hint::black_box, time::Instant};

use anyhow::{Context, Result, bail};
use mt_pool::{Blob, asyn_pmap};

use super::{Reach, Row};
use crate::{Effort, measure::Sample, tasks::blob_of};

pub(super) const BYTES: u64 = 1 << 30;
pub(super) const PAGE: usize = 4096;
pub(super) const MIB: f64 = 1024.0 * 1024.0;

/// Reads each page, and tells how many bytes of memory of its own its process then has.
#[mt_pool::task]
fn read_all(#[shared] table: &Blob, _: u64) -> Result<u64, String> {
    let sum = table.iter().step_by(PAGE);
    black_box(sum.fold(0_u64, |sum, &byte| sum + u64::from(byte)));
    own_bytes().map_err(|error| format!("{error:#}"))
}

fn own_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines();
    let own = lines.find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = own.context("no memory is told of")?.trim();
    let kib: u64 = kib.trim_end_matches("kB").trim_end().parse()?;
    Ok(kib * 1024)
}

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let bytes = effort.count(BYTES);
    let row = |variant: String, title: &str| Row {
        id: "P5s",
        variant,
        title: title.to_owned(),
        unit: "ms",
        reach: Reach::AtMost(1.0),
        ours: Box::new(|| bail!("each row has its own")),
        limit: Box::new(move || copy(bytes)),
        peers: Vec::new(),
    };
    let time = |workers: usize| Row {
        ours: Box::new(move || Ok(Sample::taken_in(shared(bytes, workers)?.0))),
        ..row(
            format!("{workers} workers"),
            "a shared blob of 1 GiB, each page of which every worker reads, with the start of the workers; against one copy \
             of it in this process",
        )
    };
    let memory = Row {
        unit: "MiB",
        reach: Reach::AtMost(1.1),
        ours: Box::new(move || {
            let (begun, own) = shared(bytes, 8)?;
            let value = (bytes + own) as f64 / MIB;
            Ok(Sample::taken(value, begun.elapsed()))
        }),
        limit: super::constant(bytes as f64 / MIB),
        ..row(
            "memory, 8 workers".to_owned(),
            "the blob, and what all workers have beside it in memory of their own; against the blob",
        )
    };
    vec![time(2), time(8), memory]
}

/// When the run began, and the bytes that all workers have of their own.
fn shared(bytes: u64, workers: usize) -> Result<(Instant, u64)> {
    let table = blob_of(usize::try_from(bytes)?)?;
    let begun = Instant::now();
    let run = asyn_pmap::<read_all>(0..workers as u64);
    let run = run.processes(workers).shared(table).start()?;
    let mut own = 0;
    for outcome in run {
        own += outcome?;
    }
    Ok((begun, own))
}

/// One copy, to memory that is new.
pub(super) fn copy(bytes: u64) -> Result<Sample> {
    let table = blob_of(usize::try_from(bytes)?)?;
    let begun = Instant::now();
    black_box(table.to_vec());
    Ok(Sample::taken_in(begun))
}
