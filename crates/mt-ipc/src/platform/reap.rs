//! Reaping processes that nobody else will.

use rustix::process::{WaitOptions, waitpid};

/// Reaps all children of this process, which are dead or were killed just now. Who can't be killed, because it is
/// another user's, is left.
pub(super) fn all_children() {
    #[cfg(target_os = "linux")]
    wait_for_each();
    dead_children();
}

/// Reaps those children of this process that are dead already.
pub(super) fn dead_children() {
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
}

/// Waits for the end of each child. One that was killed takes no time to end, unless the system is busy with it
/// for some.
#[cfg(target_os = "linux")]
fn wait_for_each() {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        process::{PidfdFlags, getpid, pidfd_open},
    };
    use std::time::{Duration, Instant};

    /// The longest wait for all of them.
    const PATIENCE: Duration = Duration::from_millis(200);

    let until = Instant::now() + PATIENCE;
    for child in super::tree::children(getpid()) {
        let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else {
            continue;
        };
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }
}
