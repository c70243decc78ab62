//! What differs between operating systems, behind one set of names. Nothing above this folder
//! contains a `cfg` for a system.

#[cfg(not(unix))]
compile_error!("mt-ipc has no Windows backend yet; docs/platforms.md says what is missing");

mod adopted;
mod c_stdout;
mod captured;
mod descriptors;
#[cfg(target_os = "linux")]
mod exit_info;
mod exit_watch;
mod fork;
mod guard;
mod limits;
mod mark;
mod memory;
mod niceness;
mod oom;
mod page;
mod program;
mod reap;
mod resources;
mod rights;
mod sealed_file;
mod signals;
mod start;
mod stdio;
mod stream;
mod tree;
mod unix;

use adopted::Adopted;
pub(crate) use c_stdout::{flush_c_stdout, write_c_stdout_by_lines};
pub(crate) use captured::CapturedFiles;
pub use descriptors::close_inherited;
pub(crate) use exit_watch::ExitWatch;
pub use fork::end_copy;
pub use guard::{Guard, end_descendants, end_worker, hang_up};
pub use limits::has_room;
pub(crate) use mark::WRAPPED_MARK;
pub use mark::{own_args, worker_of};
pub(crate) use memory::{Memory, WritableMemory};
pub use niceness::own_niceness;
pub(crate) use oom::end_before_this;
pub(crate) use page::{NOTE_BYTES, NOTE_SLOTS, NoteSlot, Page, SLOW_SLOTS, SlowSlot};
pub(crate) use program::file_identity;
pub use program::{may_be_worker, program_of};
pub(crate) use program::{own_file, own_program};
pub(crate) use reap::Orphans;
pub use resources::{Resource, ResourceLimits};
pub(crate) use rights::{ReceivedFiles, has_too_many_on_the_way};
pub(crate) use sealed_file::{FileDraft, Finished, file_bytes, file_of, received};
pub use signals::{ignores_terminate_of_others, is_ignored};
pub(crate) use signals::{keep_exit_statuses, signal_name};
pub use start::start_clean;
pub(crate) use stdio::{Output, OutputPipe, pipe_for, read_pipe_now, unread_bytes, write_to};
pub(crate) use stream::{Stream, StreamReadHalf, StreamWriteHalf, Until};
pub use tree::descendants;
pub(crate) use tree::{Remains, kill_group, kill_tree, terminate_tree};
pub(crate) use unix::{Greeting, connected_pair, prepare, send_now, take_over};
pub use unix::{is_worker_process, main_stack_bytes};

/// Whether the system tells how a child ended that somebody else has reaped.
fn tells_of_reaped() -> bool {
    #[cfg(target_os = "linux")]
    return exit_info::is_kept();
    #[cfg(not(target_os = "linux"))]
    false
}
