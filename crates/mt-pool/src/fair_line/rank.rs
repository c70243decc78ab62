//! What decides on the order of a line.

/// On whose behalf somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    /// On that of a clone of the pool.
    Clone(u64),
    /// On that of whomever the user has named so.
    Named(u64),
}

impl Default for Caller {
    fn default() -> Self {
        Self::Clone(0)
    }
}

/// Who asks, and how urgently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rank {
    /// The greater goes first.
    pub(crate) priority: i8,
    pub(crate) caller: Caller,
}

/// A turn, and the number of whoever has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TurnPlace {
    pub(super) turn: u64,
    pub(super) number: u64,
}
