//! What differs between operating systems, behind one set of names. Nothing above this folder
//! contains a `cfg` for a system.

mod greeting;
mod mark;
mod memory;
mod page;
mod resources;
#[cfg(unix)]
mod unix;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
mod unsealed;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use greeting::Greeting;
pub(crate) use mark::WRAPPED_MARK;
pub use mark::{is_worker_process, own_args};
pub(crate) use memory::{Memory, WritableMemory};
pub(crate) use page::{NOTE_BYTES, NOTE_SLOTS, NoteSlot, Page, SLOW_SLOTS, SlowSlot};
pub use resources::{Resource, ResourceLimits};
pub(crate) use system::{
    CapturedFiles, FileDraft, FileRef, MARKS_BY_ARGUMENT, Output, OutputPipe, OwnedFile, Process,
    READS_ARE_LATE, ReceivedFiles, Socket, Stream, StreamReadHalf, StreamWriteHalf, as_file,
    code_name, connected_pair, end_before_this, file_bytes, file_identity, file_of, flush_c_stdout,
    has_left, has_too_many_on_the_way, is_end_by_console, keep_exit_statuses, own_file,
    own_program, pipe_for, prepare, read_file_at, read_pipe_now, received, send_now, signal_name,
    take_over, unread_bytes, write_c_stdout_by_lines, write_to,
};
pub use system::{
    Guard, WatchedThread, close_inherited, descendants, end_copy, end_descendants, end_worker,
    hang_up, has_room, ignores_terminate_of_others, is_ignored, main_stack_bytes, may_be_worker,
    own_niceness, program_of, start_clean, worker_of,
};

/// When a connection's sending side ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When it is closed or dropped.
    Closed,
    /// With this process, a worker, and not before.
    ///
    /// On Unix a socket hangs up when its peer is gone, and also when both sides have ended their sending. If a
    /// worker did that, its [guard](crate::guard) could not tell a parent that has said all from one that
    /// is dead, and would kill a worker that is exiting in good order. What was written is in the kernel,
    /// which delivers it also after this process.
    ProcessEnds,
}

/// What a finished draft is: the bytes, and the file they are in if there is one to hand on.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) memory: Memory,
    pub(crate) file: Option<OwnedFile>,
}
