//! Linux: `/proc` shows processes, and signals reach them.

pub mod ends;
mod process;
mod program;
mod raw;
mod scarcity;
#[path = "unix/shell.rs"]
mod shell;

pub(crate) use process::doing;
pub use process::{
    Signal, blob_descriptors, children_of, descriptors, is_gone, own_bytes, peak_bytes,
    resident_bytes, session_of, signal, state_of, thread_count, threads_named, wait_until_gone,
};
pub(crate) use program::is_this;
pub use program::{core_dumps, detached, dumps_whole_core};
pub use raw::{become_user, end_thread, fork, fork_that_stays, shut_sockets};
pub use scarcity::{
    NOBODY, alone_and_bound, is_root, with_at_most, with_little_memory, without_threads,
};
pub(crate) use shell::{await_console, own_console, runs_as_worker, write_program};
pub use shell::{sets, sleeper, worker_after};

/// Far longer than anything takes that a test waits for, however busy the machine is.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// How many times as long a process may take for what it does at once on Linux.
pub const PACE: u32 = 1;
