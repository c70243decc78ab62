//! Unix systems without `/proc`: `ps` shows processes, and signals reach them.

#[path = "linux/ends.rs"]
pub mod ends;
mod process;
mod program;
#[path = "unix/shell.rs"]
mod shell;

pub(crate) use process::doing;
pub use process::{
    Signal, blob_descriptors, children_of, descriptors, end_thread, is_gone, own_bytes, peak_bytes,
    resident_bytes, shut_sockets, signal, state_of, thread_count, threads_named, wait_until_gone,
};
pub use program::detached;
pub(crate) use program::is_this;
pub(crate) use shell::{await_console, own_console, runs_as_worker, write_program};
pub use shell::{sets, sleeper, worker_after};

/// Far longer than anything takes that a test waits for, however busy the machine is.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// How many times as long a process may take for what it does at once on Linux.
pub const PACE: u32 = 1;
