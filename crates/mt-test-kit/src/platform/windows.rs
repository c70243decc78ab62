//! Windows: snapshots of the system show processes and threads, and a console tells them what signals tell elsewhere.

mod console;
pub mod ends;
mod handles;
mod process;
mod program;
mod signal;
mod snapshot;

pub(crate) use console::{await_console, own_console};
pub use handles::{blob_descriptors, descriptors, shut_sockets};
pub use process::{end_thread, is_gone, own_bytes, peak_bytes, resident_bytes, wait_until_gone};
pub use program::{detached, sets, sleeper, worker_after};
pub(crate) use program::{is_this, runs_as_worker, write_program};
pub use signal::{Signal, signal};
pub(crate) use snapshot::doing;
pub use snapshot::{children_of, thread_count, threads_named};

/// Far longer than anything takes that a test waits for, however busy the machine is: under Wine the
/// start of a process takes most of a second of its processors.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// How many times as long a process may take for what it does at once on Linux.
pub const PACE: u32 = 10;
