//! P5: bodies of a mebibyte, in and out, as bytes and as blobs; and where blobs pay.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use mt_pool::{Task, asyn_pmap};

use super::{Reach, Row};
use crate::{
    Effort,
    echo::bulk_echo,
    measure::{Load, Sample},
    peers,
    tasks::{blob_of, new_blob, new_body, same_blob, same_body},
};

const BODY_BYTES: usize = 1 << 20;
/// A gibibyte and more, each way.
const LOAD: Load = Load::new(64, 1024);

/// The same bytes in one run.
const SIZES_KIB: [usize; 5] = [64, 128, 256, 1024, 16 * 1024];

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let load = effort.load(LOAD);
    let row = |variant: &str, title: &str| Row {
        id: "P5",
        variant: variant.to_owned(),
        title: title.to_owned(),
        unit: "GB/s each way",
        reach: Reach::AtLeast(2.0),
        ours: Box::new(move || fresh_blobs(load, BODY_BYTES)),
        limit: Box::new(move || bulk_echo(load, BODY_BYTES)),
        peers: Vec::new(),
    };
    let mut rows = vec![
        Row {
            reach: Reach::AtLeast(0.7),
            ours: Box::new(move || run::<same_body>(load, BODY_BYTES, || Ok(vec![7; BODY_BYTES]))),
            peers: peers::of_bodies(effort, BODY_BYTES, 2),
            ..row(
                "socket",
                "1 MiB in and out, 2 workers; against the bulk echo of bytes",
            )
        },
        row("blob", "the same as blobs, each made anew on both sides"),
        Row {
            ours: Box::new(move || {
                let blobs = || blob_of(BODY_BYTES).map_err(Into::into);
                run::<same_blob>(load, BODY_BYTES, blobs)
            }),
            ..row("blob back", "blobs made anew, of which each comes back")
        },
    ];
    rows.extend(SIZES_KIB.map(|kib| {
        let bytes = kib * 1024;
        // A gibibyte at most, and not more items than of a mebibyte.
        let items = (LOAD.items * 1024 / kib as u64).min(LOAD.items);
        let load = effort.load(Load::new(items / 16, items));
        let title = format!("{kib} KiB in and out, made anew on both sides; against byte vectors");
        Row {
            reach: Reach::Shown,
            ours: Box::new(move || fresh_blobs(load, bytes)),
            limit: Box::new(move || run::<new_body>(load, bytes, move || Ok(vec![7; bytes]))),
            ..row(&format!("blob, {kib} KiB"), &title)
        }
    }));
    rows
}

fn fresh_blobs(load: Load, bytes: usize) -> Result<Sample> {
    run::<new_blob>(load, bytes, move || Ok(blob_of(bytes)?))
}

/// Runs a task over values of so many sevens each, of which others come back.
fn run<T: Task>(
    load: Load,
    bytes: usize,
    value: impl Fn() -> Result<T::Input> + Send + 'static,
) -> Result<Sample>
where
    T::Output: AsRef<[u8]>,
    T::Error: std::fmt::Debug,
{
    let begun = Instant::now();
    // Who can't make one has fewer outcomes, which is an error below.
    let values = (0..load.total()).map_while(move |_| value().ok());
    let run = asyn_pmap::<T>(values).processes(2).start();
    let run = run.context("failed to start the pool")?;
    let (mut warm, mut count) = (begun, 0);
    for outcome in run {
        if count == load.warm_up {
            warm = Instant::now();
        }
        count += 1;
        let Ok(body) = outcome else {
            bail!("an item has no value");
        };
        let body = body.as_ref();
        ensure!(
            body.len() == bytes && body.ends_with(&[7]),
            "the results have other values"
        );
    }
    ensure!(count == load.total(), "{count} results");
    let seconds = warm.elapsed().as_secs_f64();
    let value = load.items as f64 * bytes as f64 / seconds / 1e9;
    Ok(Sample::taken(value, begun.elapsed()))
}
