//! Windows: a named pipe in place of standard input, a job for everything below a worker, sections of the page file for
//! memory that two processes have.

mod absent;
mod c_stdout;
mod captured;
mod console;
mod files;
mod guard;
mod handles;
mod handover;
mod job;
mod overlapped;
mod pipe;
mod process;
mod program;
mod record;
mod start;
mod status;
mod stdio;
mod stream;
mod thread;
mod tree;

pub(crate) use absent::{
    apply_limit, end_before_this, has_too_many_on_the_way, keep_exit_statuses, most_of, signal_name,
};
pub use absent::{
    close_inherited, end_copy, end_descendants, has_room, ignores_terminate_of_others, is_ignored,
    main_stack_bytes,
};
pub(crate) use c_stdout::{flush_c_stdout, write_c_stdout_by_lines};
pub(crate) use captured::CapturedFiles;
pub(crate) use files::{
    FILE_GRAIN, FileRef, OwnedFile, as_file, file_bytes, map_file, read_file_at, shared_file,
    unmap, write_file,
};
pub use guard::{Guard, end_worker, hang_up};
pub(crate) use handover::{
    MARKS_BY_ARGUMENT, Socket, connected_pair, prepare, send_now, take_over,
};
pub(crate) use process::Process;
pub(crate) use program::{file_identity, own_file, own_program};
pub use program::{may_be_worker, program_of};
pub use start::{own_niceness, start_clean};
pub(crate) use status::{code_name, is_end_by_console};
pub(crate) use stdio::{
    Output, OutputPipe, READS_ARE_LATE, has_left, pipe_for, read_pipe_now, unread_bytes, write_to,
};
pub(crate) use stream::{ReceivedFiles, Stream, StreamReadHalf, StreamWriteHalf};
pub use thread::WatchedThread;
pub use tree::{descendants, worker_of};

pub(crate) use super::unsealed::{FileDraft, file_of, received};
