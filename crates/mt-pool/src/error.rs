//! What can go wrong, for one item and for all of them.

mod kind;
mod start;
mod task;

pub use kind::TaskErrorKind;
pub use start::StartError;
pub use task::TaskError;
