//! Pipes for a worker's standard output and error, and this process's own.
#![expect(
    unsafe_code,
    reason = "a pipe that a runtime takes over, and this process's own output"
)]

use std::{
    io,
    os::windows::io::{AsHandle, IntoRawHandle},
    process::Command,
    ptr,
    time::Duration,
};

use tokio::{net::windows::named_pipe::NamedPipeServer, time::timeout};
use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    Storage::FileSystem::WriteFile,
    System::Console::{GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_OUTPUT_HANDLE},
};

use super::{
    overlapped,
    pipe::{Ways, pair},
};

/// How long is waited for what a worker has written when it has ended, and all that it had started: that is there already,
/// and only to be told of.
pub(super) const LAST: Duration = Duration::from_secs(1);

/// What a process writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    fn own(self) -> STD_HANDLE {
        match self {
            Self::Stdout => STD_OUTPUT_HANDLE,
            Self::Stderr => STD_ERROR_HANDLE,
        }
    }
}

/// The parent's end of a worker's standard output or error.
pub(crate) type OutputPipe = NamedPipeServer;

/// Gives a command a pipe to write to, and returns the end to read from.
pub(crate) fn pipe_for(command: &mut Command, output: Output) -> io::Result<OutputPipe> {
    let (ours, theirs) = pair(Ways::Inbound)?;
    match output {
        Output::Stdout => command.stdout(theirs),
        Output::Stderr => command.stderr(theirs),
    };
    // SAFETY: it is a pipe's, made to be watched, and nobody else has it.
    unsafe { NamedPipeServer::from_raw_handle(ours.into_raw_handle()) }
}

/// Whether bytes that are there may not be found at once: the runtime has to hear of them first.
pub(crate) const READS_ARE_LATE: bool = true;

/// Waits until what is left in the pipe of a process that has ended, with all that it had started, can be read. False when
/// nothing is. Cancel-safe.
pub(crate) async fn has_left(pipe: &OutputPipe) -> bool {
    matches!(timeout(LAST, pipe.readable()).await, Ok(Ok(())))
}

/// Reads what is there without waiting; `None` when nothing is.
pub(crate) fn read_pipe_now(pipe: &OutputPipe, into: &mut [u8]) -> io::Result<Option<usize>> {
    match pipe.try_read(into) {
        Ok(n) => Ok(Some(n)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes that wait in a pipe; none if the system does not say.
pub(crate) fn unread_bytes(pipe: &OutputPipe) -> u64 {
    overlapped::unread(pipe.as_handle()).unwrap_or(0) as u64
}

/// Writes all of `bytes` to this process's own `output`, waiting as long as it takes. What can't be
/// written, because it is closed or nobody reads it any more, is dropped.
///
/// Past the locks of `std::io`: a caller that holds one while it waits for its workers would wait for ever.
pub(crate) fn write_to(output: Output, mut bytes: &[u8]) {
    // SAFETY: it takes a number.
    let own = unsafe { GetStdHandle(output.own()) };
    if own.is_null() || own == INVALID_HANDLE_VALUE {
        return;
    }
    while !bytes.is_empty() {
        let some = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut written = 0;
        // SAFETY: so many bytes are there, and the handle is this process's own output.
        let is_written =
            unsafe { WriteFile(own, bytes.as_ptr(), some, &raw mut written, ptr::null_mut()) };
        if is_written == 0 || written == 0 {
            return;
        }
        bytes = &bytes[written as usize..];
    }
}
