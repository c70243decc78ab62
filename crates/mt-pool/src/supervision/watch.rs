//! Whether a worker gives signs of life and gets any further, and the verdict if not.
//!
//! The machine is [`Liveness`]; the process is looked at here.

use std::time::{Duration, Instant};

use mt_ipc::Activity;
use mt_proto::WorkerBeat;

use super::{
    death::DeathCause,
    liveness::{Finding, Liveness, LivenessPolicy, Verdict},
};

/// Whether a worker gives signs of life, and gets any further, as [`LivenessPolicy`] has it. Judged once an
/// interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// There is nothing to say against it.
    Well,
    /// Somebody has stopped its process, and it has missed its beats.
    Stopped,
    /// The worker has missed its beats for another reason.
    Frozen,
    /// The worker beats, and gets no further.
    Blocked {
        /// For how long, at least.
        since: Duration,
    },
}

impl Health {
    /// Whether there are no signs of life.
    #[must_use]
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Stopped | Self::Frozen)
    }
}

#[derive(Debug)]
pub(super) struct Watch {
    policy: LivenessPolicy,
    liveness: Liveness,
    pid: u32,
    busy_by_processor: bool,
    /// The processor time it had used when that was last looked at.
    ticks: Option<u64>,
    health: Health,
}

impl Watch {
    /// Over a worker that has just said something.
    pub(super) fn new(policy: LivenessPolicy, busy_by_processor: bool, pid: u32) -> Self {
        Self {
            policy,
            liveness: Liveness::new(policy, Instant::now()),
            pid,
            busy_by_processor,
            ticks: None,
            health: Health::Well,
        }
    }

    /// How often the worker is to beat.
    pub(super) fn interval(&self) -> Duration {
        self.policy.interval
    }

    /// The worker said something. True when it is well again by that.
    pub(super) fn heard(&mut self) -> bool {
        self.liveness.heard();
        let again = self.health.is_silent();
        if again {
            self.health = Health::Well;
        }
        again
    }

    pub(super) fn on_beat(&mut self, beat: WorkerBeat) {
        self.liveness.on_beat(beat);
    }

    /// Judges the worker; to be called every interval. Returns its health, which is told even if it is what was found
    /// before, unless the worker is well; and what the worker is to be killed for.
    pub(super) fn check(&mut self) -> (Option<Health>, Option<DeathCause>) {
        let found = match self.liveness.check(Instant::now()) {
            Some(Finding::Silent) => Some(self.silent()),
            Some(Finding::Still) => self.still(),
            None if matches!(self.health, Health::Blocked { .. }) => {
                self.health = Health::Well;
                return (Some(Health::Well), None);
            }
            None => None,
        };
        let Some((health, verdict, cause)) = found else {
            return (None, None);
        };
        self.health = health;
        (Some(health), (verdict == Verdict::Kill).then_some(cause))
    }

    fn silent(&self) -> (Health, Verdict, DeathCause) {
        if mt_ipc::is_stopped(self.pid) {
            (Health::Stopped, self.policy.stopped, DeathCause::Frozen)
        } else {
            (Health::Frozen, self.policy.frozen, DeathCause::Frozen)
        }
    }

    fn still(&mut self) -> Option<(Health, Verdict, DeathCause)> {
        if self.busy_by_processor {
            let ticks = Activity::of(self.pid).map(|activity| activity.cpu_ticks);
            if std::mem::replace(&mut self.ticks, ticks) != ticks {
                self.liveness.on_busy();
            }
        }
        if !self.liveness.take_blocked() {
            return None;
        }
        let LivenessPolicy {
            interval,
            blocked_checks,
            blocked,
            ..
        } = self.policy;
        let since = interval.saturating_mul(blocked_checks);
        Some((Health::Blocked { since }, blocked, DeathCause::Blocked))
    }
}
