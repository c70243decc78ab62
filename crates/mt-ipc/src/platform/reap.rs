//! Reaping processes that nobody else will.

use std::fs;
#[cfg(target_os = "linux")]
use std::{
    collections::HashSet,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions, wait, waitid};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, getpid, pidfd_open};

#[cfg(target_os = "linux")]
use super::{stream::watched, tree};

/// The longest wait for the end of processes that were killed. One takes no time to end, unless the system is busy with
/// it for some.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(1);

/// Reaps all children of this process, which are dead or were killed just now, and what they leave to it when they end.
/// Who can't be killed, because it is another user's, is left.
pub(super) fn all_children() {
    #[cfg(target_os = "linux")]
    wait_for_each();
    dead_children();
}

/// Reaps the children of this process that are dead.
fn dead_children() {
    // Without a pid, `waitpid` would see those of this process's own group only.
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Whether this process has children, dead or alive.
pub(super) fn has_children() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, look).is_ok()
}

/// Waits for the end of each child, and reaps it.
#[cfg(target_os = "linux")]
fn wait_for_each() {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        process::{Signal, kill_process},
    };
    let until = Instant::now() + PATIENCE;
    let mut seen = HashSet::new();
    loop {
        let children = tree::children(getpid());
        let Some(child) = children.into_iter().find(|child| !seen.contains(child)) else {
            return;
        };
        seen.insert(child);
        let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else {
            continue;
        };
        if kill_process(child, Signal::KILL).is_err() {
            continue;
        }
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref());
        dead_children();
    }
}

/// Processes of a worker that were killed with it. They are this process's to reap when the worker is, if it adopts
/// orphans: as the first of its container, or because it has asked for them.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    #[cfg(target_os = "linux")]
    known: HashSet<Orphan>,
    /// Until when they are waited for, once they are.
    #[cfg(target_os = "linux")]
    until: Option<tokio::time::Instant>,
}

/// A process, and nobody else that gets its number later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Orphan {
    pid: Pid,
    /// In the system's ticks since it was booted.
    started: u64,
}

#[cfg(not(target_os = "linux"))]
impl Orphans {
    pub(crate) fn remember(&mut self, _below: impl IntoIterator<Item = Pid>) {}

    pub(crate) async fn reap(&mut self, _worker: Pid) {}
}

#[cfg(target_os = "linux")]
impl Orphans {
    /// Remembers processes that can't be reaped yet, for they have a parent still.
    pub(crate) fn remember(&mut self, below: impl IntoIterator<Item = Pid>) {
        if adopts() {
            let below = below.into_iter().filter_map(look);
            self.known.extend(below.map(|(orphan, _)| orphan));
        }
    }

    /// Reaps those that have become this process's children, and what is left of the group and of the session of
    /// `worker`, which was killed and is reaped. Nothing else is in these, and so nobody else waits for it. Cancel-safe.
    pub(crate) async fn reap(&mut self, worker: Pid) {
        if !adopts() {
            return;
        }
        let now = tokio::time::Instant::now();
        let until = *self.until.get_or_insert(now + PATIENCE);
        let all = async {
            // When one ends, those below it become this process's too.
            loop {
                let mine = self.find(worker);
                if mine.is_empty() {
                    return;
                }
                for orphan in mine {
                    if !reap(orphan).await {
                        return;
                    }
                }
            }
        };
        let _ = tokio::time::timeout_at(until, all).await;
    }

    /// The orphans that are this process's children now.
    fn find(&self, worker: Pid) -> Vec<Orphan> {
        let children = tree::children(getpid()).into_iter();
        let worker = worker.as_raw_nonzero().get();
        let mine = children.filter_map(look).filter(|(orphan, kin)| {
            self.known.contains(orphan) || [kin.group, kin.session].contains(&worker)
        });
        mine.map(|(orphan, _)| orphan).collect()
    }
}

/// Whether this process becomes the parent of what its descendants leave behind.
#[cfg(target_os = "linux")]
fn adopts() -> bool {
    let asked = || rustix::process::child_subreaper().is_ok_and(|adopts| adopts.is_some());
    getpid() == Pid::INIT || asked()
}

/// Where a process belongs, dead or alive.
pub(super) struct Kin {
    pub(super) group: i32,
    pub(super) session: i32,
}

/// A process, dead or alive; `None` where the system does not tell, or there is none.
pub(super) fn look(pid: Pid) -> Option<(Orphan, Kin)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The state, the parent, the group and the session follow the name, which is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let group = fields.nth(2)?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let started = fields.nth(15)?.parse().ok()?;
    Some((Orphan { pid, started }, Kin { group, session }))
}

/// Waits for the end of a child, and reaps it. Returns whether that could be done.
#[cfg(target_os = "linux")]
async fn reap(orphan: Orphan) -> bool {
    let pidfd = pidfd_open(orphan.pid, PidfdFlags::NONBLOCK).ok();
    let Some(pidfd) = pidfd.and_then(|pidfd| watched(pidfd, tokio::io::Interest::READABLE).ok())
    else {
        return false;
    };
    if look(orphan.pid).is_none_or(|(now, _)| now != orphan) || pidfd.readable().await.is_err() {
        return false;
    }
    let which = WaitId::PidFd(pidfd.get_ref().as_fd());
    waitid(which, WaitIdOptions::EXITED | WaitIdOptions::NOHANG).is_ok()
}
