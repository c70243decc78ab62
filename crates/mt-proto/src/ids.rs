//! The ids that cross the wire or name its two ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The position of an item in the input, counted from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ItemIndex(pub u64);

impl ItemIndex {
    /// The index `by` places further on.
    #[must_use]
    pub const fn plus(self, by: u64) -> Self {
        Self(self.0 + by)
    }
}

impl fmt::Display for ItemIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a task with what its calls share: 0, 1, 2 … in the order in which a pool's were prepared, never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct PreparedId(pub u64);

/// The name a parent gives a worker process: 0, 1, 2 … in the order of their starts, never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct WorkerId(pub u32);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
