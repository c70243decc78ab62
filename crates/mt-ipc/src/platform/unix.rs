//! Unix: a socketpair, handed to the child as its standard input.

use std::{
    env, io,
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream as StdUnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, fcntl_dupfd_cloexec},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
    process::{Pid, Signal, getpid, getppid, kill_process_group},
};

use super::{Page, stream::Stream, tree};
use crate::{AttachError, SpawnError};

/// The name a worker is started under (`argv[0]`). It marks the process as a worker without leaving
/// anything in the environment that its own children would inherit, and `ps` shows it.
const WORKER_NAME: &str = "mt-worker";

/// The parent's end of a pair, the progress page, and the worker's end, to which the page is on its way.
pub(crate) fn connected_pair() -> io::Result<(StdUnixStream, Page, OwnedFd)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    let (page, page_fd) = Page::create()?;
    let fds = [page_fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let parent = getpid().as_raw_nonzero().get().to_le_bytes();
    let greeting = [IoSlice::new(&parent)];
    sendmsg(&ours, &greeting, &mut control, SendFlags::empty())?;
    ours.set_nonblocking(true)?;
    Ok((ours, page, theirs.into()))
}

/// Makes `command` start as a worker: its name, its end of the connection as standard input, and a
/// process group of its own, so that the terminal's Ctrl-C and a kill of its tree reach it alone.
///
/// There is no `pre_exec` here on purpose: with one, std forks instead of using `posix_spawn`, which
/// is slow from a large parent.
pub(crate) fn prepare(command: &mut Command, theirs: OwnedFd) {
    command
        .arg0(WORKER_NAME)
        .stdin(Stdio::from(theirs))
        .process_group(0);
}

/// How this program starts itself again.
pub(crate) fn own_program() -> Result<PathBuf, SpawnError> {
    if cfg!(target_os = "linux") {
        // The very file this process runs, also when it was replaced or deleted since.
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    let program = env::current_exe()?;
    if started_from().is_some_and(|then| Some(then) == file_identity(&program)) {
        return Ok(program);
    }
    Err(SpawnError::Replaced {
        program: program.display().to_string(),
    })
}

/// The identity of the program file when it was first asked for.
fn started_from() -> Option<(u64, u64)> {
    static FIRST: std::sync::OnceLock<Option<(u64, u64)>> = std::sync::OnceLock::new();
    *FIRST.get_or_init(|| file_identity(&env::current_exe().ok()?))
}

fn file_identity(path: &std::path::Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Whether this process was started by [`spawn`](crate::spawn()): it carries a worker's name.
#[must_use]
pub fn is_worker_process() -> bool {
    env::args_os()
        .next()
        .is_some_and(|name| name == WORKER_NAME)
}

/// Takes the connection over from standard input, which becomes the null device, and ties this
/// process to its parent.
pub(crate) fn take_over() -> Result<(Stream, Page), AttachError> {
    let stdin = rustix::stdio::stdin();
    let (parent, page_fd) = receive_page(stdin)?;
    let page = Page::map(page_fd.as_fd())?;
    let socket = StdUnixStream::from(move_away_from_stdin()?);
    bind_to_parent(parent)?;
    survive_hangup()?;
    socket.set_nonblocking(true)?;
    Ok((Stream::from_std(socket)?, page))
}

fn receive_page(stdin: impl AsFd) -> io::Result<(Pid, OwnedFd)> {
    let mut parent = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [IoSliceMut::new(&mut parent)];
    // It was sent before this process was made, so there is nothing to wait for.
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let got = recvmsg(stdin, &mut iov, &mut control, flags)?;
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let parent = Pid::from_raw(i32::from_le_bytes(parent));
    match (got.bytes, fd, parent) {
        (4, Some(fd), Some(parent)) => Ok((parent, fd)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no greeting from a parent",
        )),
    }
}

/// Gives the connection a private descriptor and puts the null device in its place, so that a task
/// that reads standard input, or a program it starts, can't touch the connection.
fn move_away_from_stdin() -> io::Result<OwnedFd> {
    let socket = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(socket)
}

fn bind_to_parent(parent: Pid) -> Result<(), AttachError> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{set_child_subreaper, set_parent_process_death_signal};
        // The guard thread does the killing, and it can take the worker's own children along. A
        // stopped process runs no thread, so the parent's death first lets it continue. (The signal
        // is sent when the parent's *thread* that started us ends; that thread lives for ever.)
        let _ = set_parent_process_death_signal(Some(Signal::CONT));
        // Children of a task that detach themselves stay below this process and can be found.
        let _ = set_child_subreaper(Some(getpid()));
    }
    // The parent may have died before the lines above.
    match getppid() == Some(parent) {
        true => Ok(()),
        false => Err(AttachError::ParentGone),
    }
}

/// Takes SIGHUP and does nothing. When a parent dies, the system sends it to a worker's group if any
/// process in it is stopped; a worker that it ended could not take along what has left the group. The
/// programs a worker starts are not affected: they start with the signal's default.
fn survive_hangup() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // The handler stays when the listener goes.
    signal(SignalKind::hangup()).map(drop)
}

/// Starts the thread that ends this worker process, with everything below it, when the parent's end
/// of the connection closes. Nothing the user's code does can hold it up: it only sleeps in the
/// kernel until then.
///
/// # Errors
/// The system's, when the thread or a descriptor for it can't be made.
pub fn guard(connection: impl AsFd) -> io::Result<()> {
    let socket = fcntl_dupfd_cloexec(connection, 3)?;
    thread::Builder::new()
        .name("mt-guard".into())
        .stack_size(128 * 1024)
        .spawn(move || {
            // No event is asked for: only a hang-up or an error, which are always told, end the wait.
            let mut fds = [PollFd::new(&socket, PollFlags::empty())];
            while matches!(poll(&mut fds, None), Ok(0) | Err(Errno::INTR)) {}
            end_worker();
        })?;
    Ok(())
}

/// Kills what this worker process has started and is still there, also what has detached itself. To
/// be called just before it exits: afterwards nobody could tell whose they were.
pub fn end_descendants() {
    tree::kill_below(getpid());
}

/// Ends this worker process at once, together with all it has started. For a worker whose parent is
/// gone: an exit would leave what it has started behind.
pub fn end_worker() -> ! {
    let own = getpid();
    tree::kill_below(own);
    let _ = kill_process_group(own, Signal::KILL);
    // Reached only when this process leads no group, as under a debugger that started it.
    std::process::abort()
}
