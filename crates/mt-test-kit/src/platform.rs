//! What differs between operating systems: looks at processes and what is done to them, behind the same names
//! everywhere. What only Linux has, only tests of Linux name.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod other;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(all(unix, not(target_os = "linux")))]
use other as system;
#[cfg(windows)]
use windows as system;

#[cfg(target_os = "linux")]
pub use linux::{
    NOBODY, alone_and_bound, become_user, core_dumps, dumps_whole_core, fork, fork_that_stays,
    is_root, session_of, with_at_most, with_little_memory, without_threads,
};
#[cfg(unix)]
pub use system::state_of;
pub use system::{
    PACE, Signal, blob_descriptors, children_of, descriptors, detached, end_thread, ends, is_gone,
    own_bytes, peak_bytes, resident_bytes, sets, shut_sockets, signal, sleeper, thread_count,
    threads_named, wait_until_gone, worker_after,
};
pub(crate) use system::{
    PATIENCE, await_console, doing, is_this, own_console, runs_as_worker, write_program,
};
