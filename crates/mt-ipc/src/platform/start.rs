//! The first steps of a worker process, before any of its code: what it has inherited and should not have.

use rustix::process::{getpid, getppid, setpgid, setsid};

use super::{
    kin::{group_of, session},
    signals,
    unix::WORKER_NAME,
};

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
/// * The process has no terminal, so it can be stopped by none: who reads `/dev/tty` gets an error.
/// * It has a name of its own in `top`, where the link that it was started by gives it `exe`.
pub fn start_clean() {
    signals::unblock_all();
    signals::set_default(libc::SIGCHLD);
    leave_terminal();
    // Of the whole process, whichever thread this is. Nothing depends on it.
    let _ = std::fs::write("/proc/self/comm", WORKER_NAME);
}

/// Begins a session, and with it a process group. What leads a group already, as a worker does from its start,
/// has to leave that first; the only other one it knows is its parent's. What a terminal sends to that one just
/// then is not meant for the worker.
fn leave_terminal() {
    let left = signals::ignoring(&OF_TERMINALS, || {
        if session() == Some(getpid()) {
            return true;
        }
        if let Some(group) = getppid().and_then(group_of) {
            let _ = setpgid(None, Some(group));
        }
        let left = setsid().is_ok();
        if !left {
            let _ = setpgid(None, None);
        }
        left
    });
    if !left {
        // The second best: who reads from the terminal gets an error as well, and writing is allowed.
        signals::ignore(libc::SIGTTIN);
        signals::ignore(libc::SIGTTOU);
    }
}
