//! Learning of a child's exit before it is reaped.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "registering a pidfd")
)]

use rustix::process::Pid;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

/// Tells that a child has exited *before* it is reaped, while its process group can still be named
/// safely.
pub(crate) struct ExitWatch {
    #[cfg(target_os = "linux")]
    pidfd: Option<AsyncFd<OwnedFd>>,
}

impl std::fmt::Debug for ExitWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExitWatch").finish_non_exhaustive()
    }
}

impl ExitWatch {
    #[cfg(target_os = "linux")]
    pub(crate) fn new(child: Pid) -> Self {
        use rustix::process::{PidfdFlags, pidfd_open};
        let pidfd = pidfd_open(child, PidfdFlags::NONBLOCK).ok();
        Self {
            pidfd: pidfd.and_then(|fd| register(fd).ok()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new(_child: Pid) -> Self {
        Self {}
    }

    /// Whether [`exited`](Self::exited) can wait.
    pub(crate) fn tells_before_reaping(&self) -> bool {
        #[cfg(target_os = "linux")]
        return self.pidfd.is_some();
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Waits until the child has exited and returns true; returns false at once where the system
    /// can't tell without reaping. Cancel-safe.
    pub(crate) async fn exited(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(pidfd) = &self.pidfd {
            return pidfd.readable().await.is_ok();
        }
        false
    }
}

#[cfg(target_os = "linux")]
fn register(pidfd: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open until it is dropped, and `AsyncFd` drops it only after it has
    // taken it out of the reactor; `OwnedFd::as_raw_fd` always names that same descriptor.
    unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }.map_err(Into::into)
}
