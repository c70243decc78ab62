//! What differs between operating systems, behind one set of names. Nothing above this folder
//! contains a `cfg` for a system.

#[cfg(not(unix))]
compile_error!("mt-ipc has no Windows backend yet; docs/platforms.md says what is missing");

mod exit_watch;
mod limits;
mod page;
mod stdio;
mod stream;
mod tree;
mod unix;

pub(crate) use exit_watch::ExitWatch;
pub use limits::has_address_space;
pub(crate) use page::{NOTE_BYTES, NOTE_SLOTS, NoteSlot, Page, SLOW_SLOTS, SlowSlot};
pub(crate) use stdio::{StderrPipe, pipe_for, read_pipe_now, unread_bytes, write_stderr};
pub(crate) use stream::{Stream, StreamReadHalf, Until};
pub use tree::descendants;
pub(crate) use tree::{Remains, kill_tree, terminate_tree};
pub(crate) use unix::{connected_pair, own_program, prepare, take_over};
pub use unix::{end_descendants, end_worker, guard, is_worker_process};
