//! A process that signals are sent to, and no other that gets its number later.

use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

pub(super) struct Victim(OwnedFd);

impl Victim {
    /// `None` if there is no such process any more.
    pub(super) fn new(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
    }

    /// False if it is gone.
    pub(super) fn signal(&self, signal: Signal) -> bool {
        pidfd_send_signal(&self.0, signal).is_ok()
    }

    /// Stops it. What is returned lets it go on.
    pub(super) fn stop(&self) -> Option<Self> {
        let same = self.0.try_clone().ok()?;
        self.signal(Signal::STOP).then_some(Self(same))
    }

    pub(super) fn go_on(self) {
        self.signal(Signal::CONT);
    }
}
