//! What can go wrong, for one item and for all of them.

mod kind;
mod start;
mod task;

pub use kind::TaskErrorKind;
pub use mt_ipc::{HandshakeError, SpawnError};
pub use mt_proto::{ContextStep, Deadline, DecodeError, SetupStep};
pub use start::StartError;
pub use task::TaskError;
