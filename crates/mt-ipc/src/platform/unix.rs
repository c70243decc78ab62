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

use super::{Page, descriptors, fork, guard::Parent, stream::Stream};
use crate::AttachError;

/// The name a worker is started under (`argv[0]`), alone or with the program's behind it. The name marks the
/// process as a worker without leaving anything in the environment that its own children would inherit, and
/// `ps` shows it.
pub(super) const WORKER_NAME: &str = "mt-worker";

/// What the first byte behind the parent's id says when the worker keeps the descriptors it has inherited.
const KEEPS_DESCRIPTORS: u8 = 1;

/// The parent's end of a pair, the progress page, and the worker's end, to which the page is on its way.
pub(crate) fn connected_pair(keeps: bool) -> io::Result<(StdUnixStream, Page, OwnedFd)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    let (page, page_fd) = Page::create()?;
    let fds = [page_fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let parent = getpid().as_raw_nonzero().get().to_le_bytes();
    let keeps = [u8::from(keeps) * KEEPS_DESCRIPTORS];
    let greeting = [IoSlice::new(&parent), IoSlice::new(&keeps)];
    sendmsg(&ours, &greeting, &mut control, SendFlags::empty())?;
    ours.set_nonblocking(true)?;
    Ok((ours, page, theirs.into()))
}

/// Makes `command` start as a worker: its name, its end of the connection as standard input, and a
/// process group of its own, so that the terminal's Ctrl-C and a kill of its tree reach it alone.
///
/// There is no `pre_exec` here on purpose: with one, std forks instead of using `posix_spawn`, which
/// is slow from a large parent. What else a worker needs is done by [`start_clean`](super::start_clean).
pub(crate) fn prepare(command: &mut Command, program: &str, theirs: OwnedFd) {
    command
        .arg0(format!("{WORKER_NAME} ({program})"))
        .stdin(Stdio::from(theirs))
        .process_group(0);
}

/// Whether this process was started by [`spawn`](crate::spawn()): it carries a worker's name.
#[must_use]
pub fn is_worker_process() -> bool {
    let name = env::args_os().next().unwrap_or_default();
    let title = name.as_encoded_bytes().strip_prefix(WORKER_NAME.as_bytes());
    title.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ("))
}

/// Takes the connection over from standard input, which becomes the null device, and ties this
/// process to its parent.
pub(crate) fn take_over() -> Result<(Stream, Page, Parent), AttachError> {
    super::program::keep_mark();
    fork::mark_copies();
    let stdin = rustix::stdio::stdin();
    let (parent, keeps, page_fd) = receive_page(stdin)?;
    let page = Page::map(page_fd.as_fd());
    let page = page.map_err(while_doing("mapping the memory shared with the parent"))?;
    if !keeps {
        descriptors::close_inherited();
    }
    let socket = StdUnixStream::from(move_away_from_stdin()?);
    let parent = Parent::bind(parent)?;
    let stream = socket
        .set_nonblocking(true)
        .and_then(|()| Stream::from_std(socket));
    let stream = stream.map_err(while_doing("watching the connection to the parent"))?;
    Ok((stream, page, parent))
}

fn while_doing(what: &'static str) -> impl FnOnce(io::Error) -> AttachError {
    move |source| AttachError::System { what, source }
}

/// The parent's id, whether inherited descriptors are kept, and the progress page.
fn receive_page(stdin: impl AsFd) -> io::Result<(Pid, bool, OwnedFd)> {
    let (mut parent, mut keeps) = ([0; 4], [0]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [IoSliceMut::new(&mut parent), IoSliceMut::new(&mut keeps)];
    // It was sent before this process was made, so there is nothing to wait for.
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let got = recvmsg(stdin, &mut iov, &mut control, flags)?;
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let parent = Pid::from_raw(i32::from_le_bytes(parent));
    match (got.bytes, fd, parent) {
        (5, Some(fd), Some(parent)) => Ok((parent, keeps == [KEEPS_DESCRIPTORS], fd)),
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
