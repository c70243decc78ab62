//! Reaping processes that nobody else will.

use std::fs;
#[cfg(target_os = "linux")]
use std::{
    collections::HashSet,
    mem,
    os::fd::{AsFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions, wait, waitid};
#[cfg(target_os = "linux")]
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal},
};
use tokio::process::Child;
#[cfg(target_os = "linux")]
use tokio::sync::oneshot;

#[cfg(target_os = "linux")]
use super::tree;

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
    // Those too whose end is told by another signal than usual, or by none.
    #[cfg(target_os = "linux")]
    let look = look | WaitIdOptions::from_bits_retain(libc::__WALL.cast_unsigned());
    !matches!(waitid(WaitId::All, look), Err(Errno::CHILD))
}

/// Waits for the end of each child, and reaps it.
#[cfg(target_os = "linux")]
fn wait_for_each() {
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
        has_ended(&pidfd, Some(until));
        dead_children();
    }
}

/// Processes of a worker that were killed with it. They are this process's to reap when the worker is gone, if it adopts
/// orphans: as the first of its container, or because it has asked for them.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    #[cfg(target_os = "linux")]
    known: HashSet<Orphan>,
    /// Ends when all are reaped, once a thread is at it.
    #[cfg(target_os = "linux")]
    reaping: Option<oneshot::Receiver<()>>,
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

    pub(crate) fn leave(&mut self, _worker: Pid, _child: Child) {}
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

    /// Reaps those that have become this process's children, and kills and reaps what is left of the group of
    /// `worker`, which is reaped. Nothing else is in that, and so nobody else waits for it. Cancel-safe.
    pub(crate) async fn reap(&mut self, worker: Pid) {
        if self.reaping.is_none() && adopts() && !find(&self.known, worker).is_empty() {
            self.start(worker, None);
        }
        if let Some(reaping) = &mut self.reaping {
            let _ = reaping.await;
            self.reaping = None;
        }
    }

    /// Reaps a worker that was killed and that nobody waits for, and then what has become this process's with it.
    ///
    /// The runtime would reap the child too, but only as long as there is a runtime, and not before another child has ended
    /// where this one ends between the runtime's look at it and its entry among those that are looked at.
    pub(crate) fn leave(&mut self, worker: Pid, child: Child) {
        if let Ok(pidfd) = pidfd_open(worker, PidfdFlags::empty()) {
            self.start(worker, Some((pidfd, child)));
        }
    }

    /// Reaps on a thread of its own, for it has to wait and there may be no runtime. Where there is no thread to be had,
    /// the child is left to the runtime, and the others are left.
    fn start(&mut self, worker: Pid, first: Option<(OwnedFd, Child)>) {
        let known = mem::take(&mut self.known);
        let (over, reaping) = oneshot::channel();
        let thread = thread::Builder::new().name("mt-reaper".into());
        let started = thread.stack_size(128 * 1024).spawn(move || {
            if let Some((pidfd, mut child)) = first {
                // One that could not be killed ends with its connection.
                has_ended(&pidfd, None);
                // An error tells that somebody else has reaped it.
                let _ = child.try_wait();
            }
            if adopts() {
                reap_until(Instant::now() + PATIENCE, &known, worker);
            }
            drop(over);
        });
        self.reaping = started.is_ok().then_some(reaping);
    }
}

/// The orphans of a worker that are this process's children now.
#[cfg(target_os = "linux")]
fn find(known: &HashSet<Orphan>, worker: Pid) -> Vec<Orphan> {
    let worker = worker.as_raw_nonzero().get();
    let children = tree::children(getpid()).into_iter();
    let mine = children
        .filter_map(look)
        .filter(|(orphan, kin)| known.contains(orphan) || kin.group == worker);
    mine.map(|(orphan, _)| orphan).collect()
}

#[cfg(target_os = "linux")]
fn reap_until(until: Instant, known: &HashSet<Orphan>, worker: Pid) {
    let mut left = HashSet::new();
    loop {
        let mut mine = find(known, worker);
        mine.retain(|orphan| !left.contains(orphan));
        if mine.is_empty() {
            return;
        }
        // When one ends, those below it become this process's too.
        for orphan in mine {
            if !reap(orphan, until) {
                left.insert(orphan);
            }
        }
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
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux has orphans that are looked for")
    )]
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

/// Ends a child, waits for that, and reaps it. Returns whether that could be done.
#[cfg(target_os = "linux")]
fn reap(orphan: Orphan, until: Instant) -> bool {
    let Ok(pidfd) = pidfd_open(orphan.pid, PidfdFlags::empty()) else {
        return false;
    };
    if look(orphan.pid).is_none_or(|(now, _)| now != orphan) {
        return false;
    }
    let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    let dead = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    has_ended(&pidfd, Some(until))
        && matches!(waitid(WaitId::PidFd(pidfd.as_fd()), dead), Ok(Some(_)))
}

/// Waits for the end of a process. False when that takes too long, if it may.
#[cfg(target_os = "linux")]
fn has_ended(pidfd: &OwnedFd, until: Option<Instant>) -> bool {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(pidfd, PollFlags::IN)], timeout.as_ref()) {
            Err(Errno::INTR) => {}
            ended => return ended.is_ok_and(|ended| ended > 0),
        }
    }
}
