//! What can go wrong, for one item and for all of them.

mod death;
mod pool;
mod task;
mod text;
mod words;

pub use death::{Death, DeathCause};
pub use pool::{PoolError, StartError};
pub use task::{TaskError, TaskErrorKind};
pub(crate) use text::Plain;
pub use words::{LastWords, last_words};
