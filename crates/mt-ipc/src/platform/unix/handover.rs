//! Unix: a socketpair, handed to the child as its standard input.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream as StdUnixStream, process::CommandExt},
    },
    process::{self, Command, Stdio},
};

use rustix::{
    io::fcntl_dupfd_cloexec,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::Pid,
};

use super::{
    super::{
        Page,
        greeting::{GREETING_BYTES, Greeting},
        mark::WORKER_NAME,
    },
    CapturedFiles, Process, Stream, fork,
    guard::{Guard, Parent},
    niceness, rights, signals,
};
use crate::{AttachError, Inherited, Progress, StdoutCapture, attach::while_doing};

/// The most descriptors that come with a greeting: the progress page, and two of a captured standard output.
const GREETING_FILES: usize = 3;

/// The parent's end of a pair, the progress page, and the worker's end, to which the page is on its way, and what captures
/// the standard output, if that is captured.
pub(crate) fn connected_pair(
    greeting: Greeting,
    captured: Option<&CapturedFiles>,
) -> io::Result<(StdUnixStream, Page, OwnedFd)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    let (page, page_fd) = Page::create()?;
    let mut fds = vec![page_fd.as_fd()];
    fds.extend(captured.into_iter().flat_map(CapturedFiles::as_fds));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GREETING_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let greeting = greeting.to_bytes(process::id());
    sendmsg(
        &ours,
        &[IoSlice::new(&greeting)],
        &mut control,
        SendFlags::empty(),
    )?;
    ours.set_nonblocking(true)?;
    Ok((ours, page, theirs.into()))
}

/// Makes `command` start as a worker: its name, unless a wrapper is what is started, its end of the connection as standard input, and a
/// process group of its own, so that the terminal's Ctrl-C and a kill of its tree reach it alone.
///
/// There is no `pre_exec` here on purpose: with one, std forks instead of using `posix_spawn`, which
/// is slow from a large parent. What else a worker needs is done by [`start_clean`](super::start_clean).
pub(crate) fn prepare(
    command: &mut Command,
    program: Option<&str>,
    theirs: OwnedFd,
) -> io::Result<Introduction> {
    if let Some(program) = program {
        command.arg0(format!("{WORKER_NAME} ({program})"));
    }
    command.stdin(Stdio::from(theirs)).process_group(0);
    Ok(Introduction)
}

/// Whether a worker without a wrapper is known by its first argument too.
pub(crate) const MARKS_BY_ARGUMENT: bool = false;

/// What a worker is still to be told when it is started: nothing, it finds all in its connection.
#[derive(Debug)]
pub(crate) struct Introduction;

impl Introduction {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn complete(self, _worker: &Process, _stream: &Stream) -> io::Result<()> {
        Ok(())
    }
}

/// An end of a connection that no runtime watches yet.
pub(crate) type Socket = StdUnixStream;

/// Takes the connection over from standard input, which becomes the null device, and ties this
/// process to its parent.
pub(crate) fn take_over() -> Result<Inherited, AttachError> {
    super::program::keep_mark();
    fork::mark_copies();
    let stdin = rustix::stdio::stdin();
    let (parent, greeting, page_fd, captured) = receive_greeting(stdin)?;
    if greeting.ignores_terminate {
        signals::ignore_terminate_of_others(parent);
    }
    if let Some(niceness) = greeting.niceness {
        let set = niceness::set_niceness(niceness);
        set.map_err(while_doing("setting the niceness"))?;
    }
    let limited = greeting.limits.apply();
    limited.map_err(while_doing("setting a resource limit"))?;
    let page = Page::map(page_fd.as_fd());
    let page = page.map_err(while_doing("mapping the memory shared with the parent"))?;
    let socket = StdUnixStream::from(move_away_from_stdin()?);
    let parent = Parent::bind(parent)?;
    let progress = Progress::new(page);
    let guard =
        Guard::new(&socket, parent, &progress).map_err(while_doing("watching the parent"))?;
    let capture = captured.map(|files| StdoutCapture::new(files, progress.clone()));
    let capture = capture.transpose();
    let capture = capture.map_err(while_doing("mapping the memory of standard output"))?;
    Ok(Inherited {
        capture,
        socket,
        progress,
        guard,
        stack_bytes: greeting.stack_bytes,
        slot: greeting.slot,
        keeps_descriptors: greeting.keeps_descriptors,
    })
}

/// Sends a few bytes, if there is room for them at once, which is so in a connection in which nothing was sent yet.
pub(crate) fn send_now(socket: &StdUnixStream, bytes: &[u8]) {
    let flags = rights::QUIETLY | SendFlags::DONTWAIT;
    let _ = rustix::net::send(socket, bytes, flags);
}

/// The parent's id, what else it says, the progress page, and what captures the standard output.
type Received = (Pid, Greeting, OwnedFd, Option<CapturedFiles>);

fn receive_greeting(stdin: impl AsFd) -> io::Result<Received> {
    let mut greeting = [0; GREETING_BYTES];
    // It was sent before this process was made, so there is nothing to wait for.
    let (bytes, files) = rights::receive_now(stdin, &mut greeting)?;
    let greeting = (bytes == GREETING_BYTES).then_some(greeting);
    let mut files = files.unwrap_or_default().files.into_iter();
    let (page, captured) = (files.next(), files.next().zip(files.next()));
    let captured = captured.map(|(pipe, file)| CapturedFiles { pipe, file });
    match (
        page,
        greeting.and_then(|bytes| Greeting::from_bytes(&bytes)),
    ) {
        (Some(page), Some((parent, greeting))) if greeting.captures == captured.is_some() => {
            let parent = Pid::from_raw(parent.cast_signed());
            let parent = parent.ok_or(io::ErrorKind::InvalidData)?;
            Ok((parent, greeting, page, captured))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no greeting from a parent",
        )),
    }
}

/// Gives the connection a private descriptor and puts the null device in its place, so that a task
/// that reads standard input, or a program it starts, can't touch the connection.
fn move_away_from_stdin() -> Result<OwnedFd, AttachError> {
    let socket = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
    let socket = socket.map_err(|error| while_doing("moving the connection")(error.into()))?;
    let null = std::fs::File::open("/dev/null");
    let null = null.map_err(while_doing("opening /dev/null"))?;
    let moved = rustix::stdio::dup2_stdin(&null);
    moved.map_err(|error| while_doing("replacing the standard input")(error.into()))?;
    Ok(socket)
}

/// The stack of this process's first thread, as far as it may grow.
#[must_use]
pub fn main_stack_bytes() -> u64 {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Stack).current.unwrap_or(u64::MAX)
}
