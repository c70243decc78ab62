//! Watching a worker: its process is looked at here, and judged by [`Liveness`].

use std::time::Instant;

use mt_ipc::Activity;

use super::{
    death::DeathCause,
    liveness::{Health, Liveness, LivenessPolicy},
};

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) liveness: Liveness,
    pid: u32,
    busy_by_processor: bool,
    /// The processor time it had used when that was last looked at.
    ticks: Option<u64>,
}

impl Watch {
    /// Over a worker that has just said something.
    pub(super) fn new(policy: LivenessPolicy, busy_by_processor: bool, pid: u32) -> Self {
        Self {
            liveness: Liveness::new(policy, Instant::now()),
            pid,
            busy_by_processor,
            ticks: None,
        }
    }

    /// Judges the worker; to be called every interval. See [`Liveness::check`].
    pub(super) fn check(&mut self) -> (Option<Health>, Option<DeathCause>) {
        let was_busy = || {
            self.busy_by_processor && {
                let ticks = Activity::of(self.pid).map(|activity| activity.cpu_ticks);
                std::mem::replace(&mut self.ticks, ticks) != ticks
            }
        };
        let is_stopped = || mt_ipc::is_stopped(self.pid);
        self.liveness.check(Instant::now(), is_stopped, was_busy)
    }
}
