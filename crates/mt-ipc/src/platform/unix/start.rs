//! The first steps of a worker process, before any of its code: what it has inherited and should not have.

#![expect(unsafe_code, reason = "giving up the terminal")]

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
    process::setpgid,
};

use super::{is_wrapped, mark::WORKER_NAME, signals};

/// What a terminal sends to the processes of a group.
const OF_TERMINALS: [i32; 6] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// Rids a worker process of what it has inherited and should not have. To be called first, by the thread that
/// starts the others.
///
/// * No signal is blocked, and a child's end (`SIGCHLD`) is told: both may have been otherwise in the parent, for
///   its own reasons, and the exit statuses of programs that tasks start would be lost. Other signals that the
///   parent ignores stay ignored, here and in programs that tasks start.
/// * The process has no terminal, so it can be stopped by none: who reads `/dev/tty` gets an error. It stays in its
///   parent's session: Linux may share processors out by sessions (autogroups), and `nice` counts within one.
/// * It has a name of its own in `top`, where the link that it was started by gives it `exe`.
pub fn start_clean() {
    signals::unblock_all();
    signals::set_default(libc::SIGCHLD);
    leave_terminal();
    // Of the whole process, whichever thread this is. Nothing depends on it.
    let _ = std::fs::write("/proc/self/comm", WORKER_NAME);
}

/// Leads a group, and gives up the terminal, if there is one. What a terminal sends to the group that is left is not
/// meant for the worker.
fn leave_terminal() {
    let lead = || {
        // A wrapper leads a group already, whose end is the worker's as well.
        if !is_wrapped() {
            let _ = setpgid(None, None);
        }
    };
    let left = match terminal() {
        Ok(None) => return lead(),
        Ok(Some(terminal)) => signals::ignoring(&OF_TERMINALS, || {
            lead();
            give_up(&terminal)
        }),
        Err(error) => {
            lead();
            Err(error)
        }
    };
    if left.is_err() {
        // The second best: who reads from the terminal gets an error as well, and writing is allowed.
        signals::ignore(libc::SIGTTIN);
        signals::ignore(libc::SIGTTOU);
    }
}

/// The terminal of this process, if it has one.
fn terminal() -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    match open("/dev/tty", flags, Mode::empty()) {
        Ok(terminal) => Ok(Some(terminal)),
        // What is said of a terminal that this process does not have.
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Of this process alone: all others of its session keep it.
fn give_up(terminal: &OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the request takes and writes nothing.
    let left = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    match left {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
