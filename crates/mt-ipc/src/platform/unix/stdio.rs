//! Pipes for a worker's standard output and error, and this process's own.

use std::{io, process::Command};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fd::BorrowedFd,
    fs::{FileType, OFlags, Stat, fcntl_getfl, fstat, tell},
    io::Errno,
    process::{Resource, getrlimit},
    stdio::{stderr, stdout},
};

/// What a process writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    /// The descriptor of this process.
    fn own(self) -> BorrowedFd<'static> {
        match self {
            Self::Stdout => stdout(),
            Self::Stderr => stderr(),
        }
    }
}

/// The parent's end of a worker's standard output or error.
pub(crate) type OutputPipe = tokio::net::unix::pipe::Receiver;

/// Gives a command a pipe to write to, and returns the end to read from.
pub(crate) fn pipe_for(command: &mut Command, output: Output) -> io::Result<OutputPipe> {
    let (ours, theirs) = io::pipe()?;
    match output {
        Output::Stdout => command.stdout(theirs),
        Output::Stderr => command.stderr(theirs),
    };
    OutputPipe::from_owned_fd(ours.into())
}

/// Whether bytes that are there may not be found at once.
pub(crate) const READS_ARE_LATE: bool = false;

/// Waits until what a process that has ended has left in the pipe can be read: it can. Cancel-safe.
pub(crate) async fn has_left(_pipe: &OutputPipe) -> bool {
    true
}

/// Reads what is there without waiting; `None` when nothing is. Asks the system and not the runtime,
/// which may not have heard of the last bytes yet.
pub(crate) fn read_pipe_now(pipe: &OutputPipe, into: &mut [u8]) -> io::Result<Option<usize>> {
    match rustix::io::read(pipe, into) {
        Ok(n) => Ok(Some(n)),
        Err(Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The bytes that wait in a pipe; none if the system does not say.
pub(crate) fn unread_bytes(pipe: &OutputPipe) -> u64 {
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// Writes all of `bytes` to this process's own `output`, waiting as long as it takes. What can't be
/// written, because it is closed or nobody reads it any more, is dropped.
///
/// Past the locks of `std::io`: a caller that holds one while it waits for its workers would wait for ever.
///
/// Of a file that may not grow so far (`ulimit -f`), what has no room is dropped as well: writing it would end this
/// process by `SIGXFSZ`.
pub(crate) fn write_to(output: Output, bytes: &[u8]) {
    let own = output.own();
    let mut bytes = &bytes[..room_in_file(own, bytes.len())];
    while !bytes.is_empty() {
        match rustix::io::write(own, bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::INTR) => {}
            // Somebody has made it non-blocking, for all who share it.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&own, PollFlags::OUT)], None);
            }
            Err(_) => return,
        }
    }
}

/// How many of so many bytes a limit of files' sizes leaves room for.
fn room_in_file(own: BorrowedFd<'_>, bytes: usize) -> usize {
    let Some(limit) = getrlimit(Resource::Fsize).current else {
        return bytes;
    };
    let Some(at) = fstat(own).ok().filter(is_file).map(|stat| {
        let appends = fcntl_getfl(own).is_ok_and(|flags| flags.contains(OFlags::APPEND));
        let place = (!appends).then(|| tell(own).ok()).flatten();
        place.unwrap_or(stat.st_size.cast_unsigned())
    }) else {
        return bytes;
    };
    let room = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX);
    bytes.min(room)
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}
