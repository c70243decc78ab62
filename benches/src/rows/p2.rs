//! P2: the map of P1 with one item a batch: coalescing should make the batch size nearly irrelevant.

use anyhow::Result;

use super::{Row, plain_map::PlainMap};
use crate::measure::Sample;

/// The row, in order or as results come.
pub(super) struct P2 {
    pub(super) ordered: bool,
}

impl P2 {
    fn map(&self) -> PlainMap {
        PlainMap {
            batch_size: 1,
            ordered: self.ordered,
        }
    }
}

impl Row for P2 {
    fn id(&self) -> &'static str {
        "P2"
    }

    fn variant(&self) -> &'static str {
        self.map().variant()
    }

    fn title(&self) -> &'static str {
        "asyn_pmap, no-op async u64 → u64, 2 workers, batch 1; against the raw echo of 1024 a frame"
    }

    fn unit(&self) -> &'static str {
        "M items/s"
    }

    fn reach(&self) -> f64 {
        0.4
    }

    fn ours(&self) -> Result<Sample> {
        self.map().run()
    }

    fn limit(&self) -> Result<Sample> {
        PlainMap::limit()
    }
}
