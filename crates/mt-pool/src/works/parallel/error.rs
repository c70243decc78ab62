//! Why there is no outcome to take.

/// Why there is no outcome of a work this time. No work was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PopError {
    /// None came in time (the seed's `queue.Empty`). Works that run go on: try again.
    #[error("no outcome came in time; no work is lost, the next call waits again")]
    Empty,
    /// There are no more works, and every outcome was taken. None will come.
    #[error("no work is left, and every outcome was taken")]
    Closed,
}
