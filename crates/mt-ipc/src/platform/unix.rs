//! Unix: a socket pair in place of standard input, process groups, signals, `/proc` where there is one.

mod adopted;
mod c_stdout;
mod captured;
mod descriptors;
#[cfg(target_os = "linux")]
mod exit_info;
mod exit_watch;
mod files;
mod fork;
mod guard;
mod handover;
mod limits;
mod niceness;
mod oom;
mod process;
mod program;
mod reap;
mod resource;
mod rights;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod sealed;
mod signals;
mod start;
mod stdio;
mod stream;
mod thread;
mod tree;

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) use super::unsealed::{FileDraft, file_of, received};
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
use super::{Finished, Memory};
use super::{
    WritableMemory,
    mark::{self, is_wrapped},
};
use adopted::Adopted;
pub(crate) use c_stdout::{flush_c_stdout, write_c_stdout_by_lines};
pub(crate) use captured::CapturedFiles;
pub use descriptors::close_inherited;
use exit_watch::ExitWatch;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) use files::{FILE_GRAIN, write_file};
pub(crate) use files::{
    FileRef, OwnedFile, as_file, file_bytes, map_file, read_file_at, shared_file, unmap,
};
pub use fork::end_copy;
pub use guard::{Guard, end_descendants, end_worker, hang_up};
pub use handover::main_stack_bytes;
pub(crate) use handover::{
    MARKS_BY_ARGUMENT, Socket, connected_pair, prepare, send_now, take_over,
};
pub use limits::has_room;
pub use niceness::own_niceness;
pub(crate) use oom::end_before_this;
pub(crate) use process::Process;
pub(crate) use program::{file_identity, own_file, own_program};
pub use program::{may_be_worker, program_of};
pub(super) use resource::{apply_limit, most_of};
pub(crate) use rights::{ReceivedFiles, has_too_many_on_the_way};
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) use sealed::{FileDraft, file_of, received};
pub use signals::{ignores_terminate_of_others, is_ignored};
pub(crate) use signals::{keep_exit_statuses, signal_name};
pub use start::start_clean;
pub(crate) use stdio::{
    Output, OutputPipe, READS_ARE_LATE, has_left, pipe_for, read_pipe_now, unread_bytes, write_to,
};
pub(crate) use stream::{Stream, StreamReadHalf, StreamWriteHalf};
pub use thread::WatchedThread;
pub use tree::{descendants, worker_of};

/// Whether the system tells how a child ended that somebody else has reaped.
fn tells_of_reaped() -> bool {
    #[cfg(target_os = "linux")]
    return exit_info::is_kept();
    #[cfg(not(target_os = "linux"))]
    false
}

/// What a code that a process ends with is called, if that is the system's: none here, where signals end processes.
pub(crate) fn code_name(_code: i32) -> Option<&'static str> {
    None
}

/// Whether a code tells that a console has ended the process: consoles send signals here.
pub(crate) fn is_end_by_console(_code: i32) -> bool {
    false
}
