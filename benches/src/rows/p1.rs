//! P1: a map of a task that does nothing, in batches of 1024.

use anyhow::Result;

use super::{Row, plain_map::PlainMap};
use crate::measure::Sample;

/// The row, in order or as results come.
pub(super) struct P1 {
    pub(super) ordered: bool,
}

impl P1 {
    fn map(&self) -> PlainMap {
        PlainMap {
            batch_size: 1024,
            ordered: self.ordered,
        }
    }
}

impl Row for P1 {
    fn id(&self) -> &'static str {
        "P1"
    }

    fn variant(&self) -> &'static str {
        self.map().variant()
    }

    fn title(&self) -> &'static str {
        "asyn_pmap, no-op async u64 → u64, 2 workers, batch 1024; against the raw echo of 1024 a frame"
    }

    fn unit(&self) -> &'static str {
        "M items/s"
    }

    fn reach(&self) -> f64 {
        0.7
    }

    fn ours(&self) -> Result<Sample> {
        self.map().run()
    }

    fn limit(&self) -> Result<Sample> {
        PlainMap::limit()
    }
}
