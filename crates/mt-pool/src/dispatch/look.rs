//! How far a worker is, as seen from outside.
//!
//! Pure: no IO, no clock, no runtime.

/// How far a worker is, by its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// The items it has started, in the order they were sent.
    pub(crate) started: u64,
    /// How many of them it has finished.
    pub(crate) finished: u64,
    /// Whether it finishes one before it starts the next.
    pub(crate) in_order: bool,
    /// The call that has the thread, where calls share one.
    pub(crate) turn: Option<Turn>,
}

/// A call that has the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The place of its item in the order they were sent.
    pub(crate) place: u64,
    /// Differs from one turn to the next.
    pub(crate) number: u64,
}
