//! Unix systems without `/proc`: `ps` shows processes, and signals reach them.

#[path = "linux/ends.rs"]
pub mod ends;
mod process;
mod program;

pub(crate) use process::doing;
pub use process::{
    Signal, blob_descriptors, children_of, descriptors, end_thread, is_gone, own_bytes, peak_bytes,
    resident_bytes, shut_sockets, signal, state_of, thread_count, threads_named, wait_until_gone,
};
pub(crate) use program::{await_console, is_this, own_console, runs_as_worker, write_program};
pub use program::{detached, sets, sleeper, worker_after};

/// Far longer than anything takes that a test waits for, however busy the machine is.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// How many times as long a process may take for what it does at once on Linux.
pub const PACE: u32 = 1;
