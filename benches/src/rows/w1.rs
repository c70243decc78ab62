//! W1: works that do nothing, out of a `WorkIterator`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mt_pool::WorkIterator;

use super::Row;
use crate::{
    echo::{self, Shape},
    measure::{Load, Pace, Sample},
    tasks::same,
};

/// The worker processes.
const WORKERS: usize = 2;

/// Enough for a run of a tenth of a second and more.
const LOAD: Load = Load {
    warm_up: 500_000,
    items: 5_000_000,
};
/// The same for works that are a few at a time.
const SMALL_LOAD: Load = Load {
    warm_up: 5_000,
    items: 100_000,
};

/// The row, in one of its variants.
pub(super) enum W1 {
    /// As many works ahead as the iterator likes.
    Default,
    /// At most 64 works ahead; the limit has as many in flight, one a frame.
    Buffer64,
    /// From construction to the first result.
    First,
}

impl Row for W1 {
    fn id(&self) -> &'static str {
        "W1"
    }

    fn variant(&self) -> &'static str {
        match self {
            Self::Default => "works",
            Self::Buffer64 => "buffer 64",
            Self::First => "first",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Default => {
                "WorkIterator, no-op async u64 → u64, 2 workers; against the raw echo of 1024 a frame. \
                 The seed: 4 works/s"
            }
            Self::Buffer64 => {
                "the same with buffer_size 64; against the raw echo of one a frame, 64 in flight"
            }
            Self::First => {
                "from construction to the first result, as firsts a second; against one in 50 ms"
            }
        }
    }

    fn unit(&self) -> &'static str {
        match self {
            Self::Default | Self::Buffer64 => "M works/s",
            Self::First => "firsts/s",
        }
    }

    fn reach(&self) -> f64 {
        match self {
            Self::Default => 0.4,
            Self::Buffer64 => 0.5,
            Self::First => 1.0,
        }
    }

    fn ours(&self) -> Result<Sample> {
        match self {
            Self::Default => iterate(None, LOAD),
            Self::Buffer64 => iterate(Some(64), SMALL_LOAD),
            Self::First => first(),
        }
    }

    fn limit(&self) -> Result<Sample> {
        match self {
            Self::Default => echo::raw_echo(
                LOAD,
                Shape {
                    items_per_frame: 1024,
                    frames_in_flight: 8,
                },
            ),
            Self::Buffer64 => echo::raw_echo(
                SMALL_LOAD,
                Shape {
                    items_per_frame: 1,
                    frames_in_flight: 64,
                },
            ),
            Self::First => Ok(sample_of(Duration::from_millis(50))),
        }
    }
}

fn iterate(buffer_size: Option<usize>, load: Load) -> Result<Sample> {
    let mut pace = Pace::start(load);
    let mut builder = WorkIterator::<same>::builder().max_num_workers(WORKERS);
    if let Some(works) = buffer_size {
        builder = builder.buffer_size(works);
    }
    let works = builder
        .num_works(load.total())
        .start()
        .context("failed to start the iterator")?;
    let mut sum = 0u64;
    for item in &works {
        let (_, value) = item.context("a work has no value")?;
        sum = sum.wrapping_add(value);
        pace.add(1);
    }
    let sample = pace.finish()?;
    ensure!(sum == load.sum(), "the iterator gave other values");
    Ok(sample)
}

fn first() -> Result<Sample> {
    let begun = Instant::now();
    let works = WorkIterator::<same>::builder()
        .max_num_workers(WORKERS)
        .start()
        .context("failed to start the iterator")?;
    let first = works.next().context("the iterator has ended")?;
    first.context("a work has no value")?;
    Ok(sample_of(begun.elapsed()))
}

/// One in this time.
fn sample_of(time: Duration) -> Sample {
    Sample {
        value: 1.0 / time.as_secs_f64(),
        whole: time,
    }
}
