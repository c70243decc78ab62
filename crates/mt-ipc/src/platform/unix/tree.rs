//! Killing a process with everything it has started.

use std::{collections::HashSet, fs};

use rustix::{
    io::Errno,
    process::{Pid, Signal, getppid, kill_process, kill_process_group},
};

use super::super::mark;

/// How often to look for processes that were started while others were being killed. Two rounds are
/// the rule; a bomb that forks faster than it is killed must not hold us for ever.
const MAX_ROUNDS: usize = 64;

/// Kills `leader`, its process group, and its descendants that have left the group. What is already
/// gone is no error. Returns whether `leader` may be killed; who has to be reaped after it is told to `remember`.
pub(crate) fn kill_tree(leader: Pid, remember: impl FnOnce(HashSet<Pid>)) -> bool {
    // Stopped, it starts nothing new while its descendants are looked for.
    let _ = kill_process(leader, Signal::STOP);
    remember(kill_below(leader));
    let _ = kill_process_group(leader, Signal::KILL);
    // By itself too: its code may have moved it to another group.
    kill_process(leader, Signal::KILL) != Err(Errno::PERM)
}

/// Kills what is left of the process group of `leader`, which has exited and is not reaped. What it had started beside is
/// no longer below it, and nothing of it can be found there.
pub(crate) fn kill_group(leader: Pid) {
    let _ = kill_process_group(leader, Signal::KILL);
}

/// The descendants of a process that was asked to end. When it does, they are no longer found below
/// it; these handles still mean them and nobody else.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    #[cfg(target_os = "linux")]
    handles: Vec<std::os::fd::OwnedFd>,
}

/// The descendants that are remembered; a bomb has more, and is killed round by round at once.
#[cfg(target_os = "linux")]
const MAX_REMAINS: usize = 256;

/// Asks `leader`, its group and its descendants to end (`SIGTERM`). `None` when there are too many to
/// remember: then they have to be killed. Who has to be reaped after `leader` is told to `remember`.
pub(crate) fn terminate_tree(leader: Pid, remember: impl FnOnce(HashSet<Pid>)) -> Option<Remains> {
    // Stopped, it starts nothing new that would not be remembered.
    let _ = kill_process(leader, Signal::STOP);
    #[cfg(target_os = "linux")]
    let remains = {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
        let mut below = below(leader);
        remember(below.iter().copied().collect());
        below.retain(|&pid| is_alive(pid));
        if below.len() > MAX_REMAINS {
            return None;
        }
        let handles: Vec<_> = below
            .into_iter()
            .filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            .collect();
        for handle in &handles {
            let _ = pidfd_send_signal(handle, Signal::TERM);
        }
        Remains { handles }
    };
    #[cfg(not(target_os = "linux"))]
    let remains = {
        drop(remember);
        Remains::default()
    };
    let _ = kill_process_group(leader, Signal::TERM);
    let _ = kill_process(leader, Signal::TERM);
    let _ = kill_process(leader, Signal::CONT);
    Some(remains)
}

/// Whether a process can still be asked for anything. Those that nobody has reaped can't.
#[cfg(target_os = "linux")]
fn is_alive(pid: Pid) -> bool {
    let activity = crate::Activity::of(pid.as_raw_nonzero().get().unsigned_abs());
    activity.is_some_and(|now| !matches!(now.state, 'Z' | 'X'))
}

impl Remains {
    /// Kills those that are still there.
    pub(crate) fn kill(&mut self) {
        #[cfg(target_os = "linux")]
        for handle in self.handles.drain(..) {
            let _ = rustix::process::pidfd_send_signal(handle, Signal::KILL);
        }
    }
}

/// Kills the descendants of `root`. The orphans of those killed move up to a worker and are seen in
/// the next round. Returns them.
pub(crate) fn kill_below(root: Pid) -> HashSet<Pid> {
    let (mut killed, mut spared) = (HashSet::new(), HashSet::new());
    for _ in 0..MAX_ROUNDS {
        let mut new = below(root);
        new.retain(|pid| killed.insert(*pid));
        if new.is_empty() {
            break;
        }
        for pid in new {
            if kill_process(pid, Signal::KILL) == Err(Errno::PERM) {
                spared.insert(pid);
            }
        }
    }
    killed.retain(|pid| !spared.contains(pid));
    killed
}

/// The ids of the processes below a worker process, however deep, as `/proc` shows them just now; none on systems without
/// it.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let root = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let below = root.map(below).unwrap_or_default();
    let ids = below.into_iter();
    ids.map(|pid| pid.as_raw_nonzero().get().unsigned_abs())
        .collect()
}

/// The processes below `root`, however deep, as `/proc` shows them; none on systems without it.
///
/// A worker adopts the orphans among its descendants (it is a subreaper on Linux), so those that
/// have detached themselves are still found below it while it lives.
fn below(root: Pid) -> Vec<Pid> {
    let mut seen = HashSet::from([root]);
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for child in children(parent) {
            if seen.insert(child) {
                found.push(child);
                open.push(child);
            }
        }
    }
    found
}

pub(super) fn children(parent: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())) else {
        return Vec::new();
    };
    let threads = threads.flatten();
    let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    let lists: Vec<String> = lists.filter_map(Result::ok).collect();
    lists
        .iter()
        .flat_map(|list| list.split_ascii_whitespace())
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
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
        name.is_ok_and(|name| name.trim_end() == mark::WORKER_NAME)
    };
    if is_worker(&wrapper) {
        return wrapper;
    }
    let below = descendants(wrapper);
    below.into_iter().find(is_worker).unwrap_or(wrapper)
}
