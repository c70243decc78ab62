//! Groups and sessions of processes. Those that were made outside of this process's container have no number in it,
//! where `rustix` knows none without.
#![expect(unsafe_code, reason = "asking for what may have no number")]

use rustix::process::Pid;

/// The session of this process. `None` if that was begun outside of this process's container, where it has no number.
pub(super) fn session() -> Option<Pid> {
    // SAFETY: a plain question, and about this process.
    Pid::from_raw(unsafe { libc::getsid(0) }).filter(|session| session.as_raw_nonzero().get() > 0)
}

/// The group of a process. `None` as above, and if there is no such process.
pub(super) fn group_of(pid: Pid) -> Option<Pid> {
    // SAFETY: a plain question, about any number.
    let group = unsafe { libc::getpgid(pid.as_raw_nonzero().get()) };
    Pid::from_raw(group).filter(|group| group.as_raw_nonzero().get() > 0)
}
