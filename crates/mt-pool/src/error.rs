//! What can go wrong, for one item and for all of them.

mod start;
mod task;

pub use start::StartError;
pub use task::{TaskError, TaskErrorKind};
