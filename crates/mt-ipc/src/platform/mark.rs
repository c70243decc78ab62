//! What a worker is known by: a name, or an argument if another program is put before it, which starts it by `exec`, or as
//! a child of its own.

use std::{env, ffi::OsString, fs};

use rustix::process::{Pid, getppid};

use super::tree;

/// The name a worker is started under (`argv[0]`), alone or with the program's behind it. The name marks the
/// process as a worker without leaving anything in the environment that its own children would inherit, and
/// `ps` shows it.
pub(super) const WORKER_NAME: &str = "mt-worker";

/// The first argument of a worker that a wrapper starts: a name that it is started under would be the wrapper's.
pub(crate) const WRAPPED_MARK: &str = "mt-worker:wrapped";

/// Whether this process was started through a wrapper.
pub(super) fn is_wrapped() -> bool {
    env::args_os().nth(1).is_some_and(|arg| arg == WRAPPED_MARK)
}

/// The arguments of this process, behind its name, that are its program's.
pub fn own_args() -> impl Iterator<Item = OsString> {
    let args = env::args_os().skip(1);
    args.filter(|arg| arg != WRAPPED_MARK)
}

/// The more processes are above a worker, the less it has to do with the first of them.
const MOST_ABOVE: usize = 64;

/// Whether a process is above this one. Not so if it can't be seen from here, because a wrapper has given this process
/// numbers of its own (a namespace).
pub(super) fn is_above(pid: Pid) -> bool {
    let parent_of = |pid: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        let fields = stat.rsplit_once(')')?.1;
        Pid::from_raw(fields.split_ascii_whitespace().nth(1)?.parse().ok()?)
    };
    std::iter::successors(getppid(), parent_of)
        .take(MOST_ABOVE)
        .any(|above| above == pid)
}

/// The worker of a wrapper with this id, once it has said hello: the same process, or the first below that has a worker's name.
/// The wrapper's own where the system does not tell.
#[must_use]
pub fn worker_of(wrapper: u32) -> u32 {
    let is_worker = |pid: &u32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim_end() == WORKER_NAME)
    };
    if is_worker(&wrapper) {
        return wrapper;
    }
    let below = tree::descendants(wrapper);
    below.into_iter().find(is_worker).unwrap_or(wrapper)
}
