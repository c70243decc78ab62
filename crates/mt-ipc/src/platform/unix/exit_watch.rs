//! Learning of a child's exit before it is reaped, and how it ended although somebody else has reaped it.

use std::process::ExitStatus;

use rustix::process::Pid;

#[cfg(target_os = "linux")]
use super::{exit_info, stream::watched};

/// Tells that a child has exited *before* it is reaped, while its process group can still be named
/// safely.
#[derive(Debug)]
pub(crate) struct ExitWatch {
    #[cfg(target_os = "linux")]
    pidfd: Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>>,
}

impl ExitWatch {
    #[cfg(target_os = "linux")]
    pub(crate) fn new(child: Pid) -> Self {
        use rustix::process::{PidfdFlags, pidfd_open};
        use tokio::io::Interest;
        let pidfd = pidfd_open(child, PidfdFlags::NONBLOCK).ok();
        Self {
            pidfd: pidfd.and_then(|fd| watched(fd, Interest::READABLE).ok()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new(_child: Pid) -> Self {
        Self {}
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
    /// How the child ended, also when somebody else has reaped it: the system does if this process ignores
    /// `SIGCHLD`. `None` while it is not reaped, and on systems that do not tell (Linux does from 6.15 on).
    pub(crate) fn reaped(&self) -> Option<ExitStatus> {
        #[cfg(target_os = "linux")]
        if let Some(pidfd) = &self.pidfd {
            return exit_info::of(pidfd.get_ref());
        }
        None
    }
}
