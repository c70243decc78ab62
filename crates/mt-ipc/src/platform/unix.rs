//! Unix: a socketpair, handed to the child as its standard input.

use std::{
    env, io,
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream as StdUnixStream, process::CommandExt},
    },
    process::{Command, Stdio},
};

use rustix::{
    io::fcntl_dupfd_cloexec,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
    process::{Pid, getpid},
};

use super::{
    CapturedFiles, Page, fork,
    guard::{Guard, Parent},
    mark::{WORKER_NAME, is_wrapped},
    niceness,
    resources::ResourceLimits,
    signals,
};
use crate::{AttachError, Inherited, Progress, StdoutCapture, attach::while_doing};

/// What a worker finds in its connection when it starts, beside the parent's id and the progress page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Whether it keeps the descriptors it has inherited.
    pub(crate) keeps_descriptors: bool,
    /// Whether it ignores a `SIGTERM` that is not its parent's.
    pub(crate) ignores_terminate: bool,
    /// The stack of its code.
    pub(crate) stack_bytes: u64,
    /// The slot of the worker.
    pub(crate) slot: Option<u32>,
    /// The niceness of the worker, unless that is to stay as it is.
    pub(crate) niceness: Option<u8>,
    /// What it limits itself to.
    pub(crate) limits: ResourceLimits,
    /// Whether it captures its standard output, with files that come beside the progress page.
    pub(crate) captures: bool,
}

/// The parent's id, 1 for a worker that keeps descriptors, 2 for one that ignores others' `SIGTERM` and 4 for one that
/// captures its standard output, the stack, the slot, the niceness, and the limits, little-endian.
const GREETING_BYTES: usize = 4 + 1 + 8 + 4 + 1 + ResourceLimits::BYTES;
/// In place of a slot, for a worker that has none.
const NO_SLOT: u32 = u32::MAX;
/// In place of a niceness, for a worker that keeps the one it has.
const NO_NICENESS: u8 = u8::MAX;

impl Greeting {
    fn to_bytes(self, parent: Pid) -> [u8; GREETING_BYTES] {
        let mut bytes = [0; GREETING_BYTES];
        bytes[..4].copy_from_slice(&parent.as_raw_nonzero().get().to_le_bytes());
        bytes[4] = u8::from(self.keeps_descriptors)
            | u8::from(self.ignores_terminate) << 1
            | u8::from(self.captures) << 2;
        bytes[5..13].copy_from_slice(&self.stack_bytes.to_le_bytes());
        bytes[13..17].copy_from_slice(&self.slot.unwrap_or(NO_SLOT).to_le_bytes());
        bytes[17] = self.niceness.unwrap_or(NO_NICENESS);
        bytes[18..].copy_from_slice(&self.limits.to_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; GREETING_BYTES]) -> Option<(Pid, Self)> {
        let (parent, rest) = bytes.split_first_chunk()?;
        let (&[flags], rest) = rest.split_first_chunk()?;
        let (stack, rest) = rest.split_first_chunk()?;
        let (slot, rest) = rest.split_first_chunk()?;
        let (&[niceness], rest) = rest.split_first_chunk()?;
        let (limits, _) = rest.split_first_chunk()?;
        let parent = Pid::from_raw(i32::from_le_bytes(*parent))?;
        let slot = u32::from_le_bytes(*slot);
        let greeting = Self {
            keeps_descriptors: flags & 1 != 0,
            ignores_terminate: flags & 2 != 0,
            captures: flags & 4 != 0,
            stack_bytes: u64::from_le_bytes(*stack),
            slot: (slot != NO_SLOT).then_some(slot),
            niceness: (niceness != NO_NICENESS).then_some(niceness),
            limits: ResourceLimits::from_bytes(*limits),
        };
        Some((parent, greeting))
    }
}

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
    let greeting = greeting.to_bytes(getpid());
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
pub(crate) fn prepare(command: &mut Command, program: Option<&str>, theirs: OwnedFd) {
    if let Some(program) = program {
        command.arg0(format!("{WORKER_NAME} ({program})"));
    }
    command.stdin(Stdio::from(theirs)).process_group(0);
}

/// Whether this process was started by [`spawn`](crate::spawn()): it carries a worker's name, or is started by a wrapper as one.
#[must_use]
pub fn is_worker_process() -> bool {
    let name = env::args_os().next().unwrap_or_default();
    let title = name.as_encoded_bytes().strip_prefix(WORKER_NAME.as_bytes());
    title.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" (")) || is_wrapped()
}

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
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = rustix::net::send(socket, bytes, flags);
}

/// The parent's id, what else it says, the progress page, and what captures the standard output.
type Received = (Pid, Greeting, OwnedFd, Option<CapturedFiles>);

fn receive_greeting(stdin: impl AsFd) -> io::Result<Received> {
    let mut greeting = [0; GREETING_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GREETING_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [IoSliceMut::new(&mut greeting)];
    // It was sent before this process was made, so there is nothing to wait for.
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let got = recvmsg(stdin, &mut iov, &mut control, flags)?;
    let fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let mut fds = fds.collect::<Vec<_>>().into_iter();
    let (page, captured) = (fds.next(), fds.next().zip(fds.next()));
    let captured = captured.map(|(pipe, file)| CapturedFiles { pipe, file });
    match (got.bytes, page, Greeting::from_bytes(greeting)) {
        (GREETING_BYTES, Some(page), Some((parent, greeting)))
            if greeting.captures == captured.is_some() =>
        {
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
