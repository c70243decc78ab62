//! What differs between operating systems, behind one set of names. Nothing above this folder
//! contains a `cfg` for a system.

#[cfg(unix)]
mod exit_watch;
#[cfg(unix)]
mod page;
#[cfg(unix)]
mod stdio;
#[cfg(unix)]
mod stream;
#[cfg(unix)]
mod tree;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use exit_watch::ExitWatch;
#[cfg(unix)]
pub(crate) use page::{NOTE_BYTES, NOTE_SLOTS, NoteSlot, Page, SLOW_SLOTS, SlowSlot};
#[cfg(unix)]
pub(crate) use stdio::{StderrPipe, pipe_for, read_pipe_now, write_stderr};
#[cfg(unix)]
pub(crate) use stream::{Stream, StreamReadHalf, StreamWriteHalf};
#[cfg(unix)]
pub(crate) use tree::{Remains, kill_tree, terminate_tree};
#[cfg(unix)]
pub(crate) use unix::{connected_pair, own_program, prepare, take_over, was_started_as_worker};
#[cfg(unix)]
pub use unix::{end_descendants, end_worker, guard};

#[cfg(not(unix))]
compile_error!("mt-ipc has no Windows backend yet; docs/platforms.md says what is missing");
