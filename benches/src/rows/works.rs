//! W1: works that do nothing, out of a `WorkIterator`.

use std::time::Instant;

use anyhow::{Context, Result};
use mt_pool::WorkIterator;

use super::{Reach, Row, constant};
use crate::{
    Effort,
    echo::{Shape, raw_echo},
    measure::{Load, Pace, Sample},
    tasks::same,
};

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load::new(500_000, 5_000_000);
/// The same for works that are a few at a time.
const SMALL_LOAD: Load = Load::new(5_000, 100_000);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let (load, small) = (effort.load(LOAD), effort.load(SMALL_LOAD));
    let row = |variant: &str, unit, reach, title: &str| Row {
        id: "W1",
        variant: variant.to_owned(),
        title: title.to_owned(),
        unit,
        reach: Reach::AtLeast(reach),
        ours: Box::new(first),
        limit: constant(20.0),
        peers: Vec::new(),
    };
    let whole = "WorkIterator, no-op async u64 → u64, 2 workers; against the raw echo of 1024 a frame. \
                 The seed: 4 works/s";
    let buffer_64 =
        "the same with buffer_size 64; against the raw echo of one a frame, 64 in flight";
    let to_the_first =
        "from construction to the first result, as firsts a second; against one in 50 ms";
    vec![
        Row {
            ours: Box::new(move || iterate(None, load)),
            limit: Box::new(move || raw_echo(load, Shape::BATCHES)),
            ..row("works", "M works/s", 0.4, whole)
        },
        Row {
            ours: Box::new(move || iterate(Some(64), small)),
            limit: Box::new(move || raw_echo(small, Shape::MESSAGES)),
            ..row("buffer 64", "M works/s", 0.5, buffer_64)
        },
        row("first", "firsts/s", 1.0, to_the_first),
    ]
}

fn iterate(buffer_size: Option<usize>, load: Load) -> Result<Sample> {
    let mut pace = Pace::start(load);
    let mut builder = WorkIterator::<same>::builder().processes(2);
    if let Some(works) = buffer_size {
        builder = builder.buffer_size(works);
    }
    let works = builder.num_works(load.total()).start();
    let works = works.context("failed to start the iterator")?;
    let mut sum = 0u64;
    for item in &works {
        let (_, value) = item?;
        sum = sum.wrapping_add(value.context("a work has no value")?);
        pace.add(1);
    }
    pace.finish(sum)
}

fn first() -> Result<Sample> {
    let begun = Instant::now();
    let works = WorkIterator::<same>::builder().processes(2).start();
    let works = works.context("failed to start the iterator")?;
    let first = works.next().context("the iterator has ended")?;
    first?.1.context("a work has no value")?;
    Ok(Sample::once_in(begun.elapsed()))
}
