//! Single calls on a pool, from any thread, task or runtime: [`Pool::call`](crate::Pool::call).
//!
//! All calls of a pool are one run without an end, whose driver hands each outcome to whoever waits for it. What is made
//! of the call's future and of its place in the queue is here; who is given it is the dispatch machine's to decide, as
//! for runs.

mod call;
mod future;
mod handle;
mod options;
mod prepared;
mod queue;
mod request;
mod submitted;
mod with_stdout;

pub use call::{Call, Full};
pub use future::CallFuture;
pub use handle::CallHandle;
pub(crate) use options::CallOptions;
pub use prepared::{PreparedTask, TaskBuilder};
pub(crate) use queue::CallQueue;
pub use with_stdout::CallWithStdout;
