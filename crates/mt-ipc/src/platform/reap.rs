//! Reaping processes that nobody else will.

use rustix::process::{Pid, WaitOptions, waitpgid, waitpid};

/// Reaps all children of this process, which are dead or were killed just now. Who can't be killed, because it is
/// another user's, is left.
pub(super) fn all_children(children: &[Pid]) {
    #[cfg(target_os = "linux")]
    wait_for_each(children);
    dead_children();
}

/// Reaps those children of this process that are dead already.
pub(super) fn dead_children() {
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
}

/// Reaps what has died in the process group of a worker that is reaped already. Where this process is the first of its
/// container, or adopts orphans for another reason, what a worker has left is its child now. Nothing else is in that
/// group, so nobody else waits for it.
pub(crate) fn group_of(worker: Pid) {
    while let Ok(Some(_)) = waitpgid(worker, WaitOptions::NOHANG) {}
}

/// Processes below a worker that were killed with it. They are this process's to reap when the worker is, if this
/// process adopts orphans.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    #[cfg(target_os = "linux")]
    pidfds: Vec<std::os::fd::OwnedFd>,
}

impl Orphans {
    /// The most that are remembered of one worker.
    #[cfg(target_os = "linux")]
    const MOST: usize = 256;

    /// Remembers processes that can't be reaped yet, for they have a parent still.
    pub(super) fn remember(&mut self, killed: impl IntoIterator<Item = Pid>) {
        #[cfg(target_os = "linux")]
        if rustix::process::getpid() == Pid::INIT
            || rustix::process::child_subreaper().is_ok_and(|adopts| adopts.is_some())
        {
            use rustix::process::{PidfdFlags, pidfd_open};
            let handles = killed.into_iter().take(Self::MOST);
            self.pidfds
                .extend(handles.filter_map(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok()));
        }
        #[cfg(not(target_os = "linux"))]
        drop(killed);
    }

    /// Reaps those that have become this process's children. Cancel-safe.
    pub(crate) async fn reap(&mut self) {
        #[cfg(target_os = "linux")]
        while let Some(pidfd) = self.pidfds.pop() {
            use rustix::process::{WaitId, WaitIdOptions, waitid};
            /// The longest wait for the end of one that was killed.
            const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
            let Ok(pidfd) = super::stream::watched(pidfd, tokio::io::Interest::READABLE) else {
                continue;
            };
            let _ = tokio::time::timeout(PATIENCE, pidfd.readable()).await;
            let which = WaitId::PidFd(std::os::fd::AsFd::as_fd(pidfd.get_ref()));
            let _ = waitid(which, WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }
}

/// Waits for the end of each child. One that was killed takes no time to end, unless the system is busy with it
/// for some.
#[cfg(target_os = "linux")]
fn wait_for_each(children: &[Pid]) {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        process::{PidfdFlags, pidfd_open},
    };
    use std::time::{Duration, Instant};

    /// The longest wait for all of them.
    const PATIENCE: Duration = Duration::from_millis(200);

    let until = Instant::now() + PATIENCE;
    for &child in children {
        let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else {
            continue;
        };
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }
}
