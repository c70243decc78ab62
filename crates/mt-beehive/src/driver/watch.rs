//! Whether a bee gives signs of life and gets any further, and what is done if not.
//!
//! The machine is the pool's; the process is looked at here.

use std::time::Instant;

use mt_pool::{
    __private::{Finding, Liveness, WorkerEvents},
    LivenessPolicy, Verdict,
};
use mt_proto::{WorkerBeat, WorkerId};

use super::census::BeeHealth;

/// The watch over one bee.
pub(crate) struct Watch {
    policy: LivenessPolicy,
    liveness: Liveness,
    bee: WorkerId,
    pid: u32,
    health: BeeHealth,
}

impl Watch {
    pub(crate) fn new(policy: LivenessPolicy, bee: WorkerId, pid: u32) -> Self {
        Self {
            policy,
            liveness: Liveness::new(policy),
            bee,
            pid,
            health: BeeHealth::Well,
        }
    }

    /// What was last found.
    pub(crate) fn health(&self) -> BeeHealth {
        self.health
    }

    /// She said hello: from now on she is to beat.
    pub(crate) fn begin(&mut self) {
        self.liveness.watch(self.bee);
        self.liveness.check(Instant::now());
    }

    /// She said something.
    pub(crate) fn heard(&mut self) {
        if matches!(self.health, BeeHealth::Stopped | BeeHealth::Frozen) {
            self.health = BeeHealth::Well;
        }
        self.liveness.heard(self.bee);
    }

    /// She told how far she is.
    pub(crate) fn on_beat(&mut self, beat: WorkerBeat) {
        self.liveness.on_beat(self.bee, beat);
    }

    /// To be called every interval. Returns why she is to be killed, if she is; tells what was found.
    pub(crate) fn check(&mut self, events: &WorkerEvents) -> Option<String> {
        let findings = self.liveness.check(Instant::now());
        if findings.is_empty() && self.health == BeeHealth::Blocked {
            self.health = BeeHealth::Well;
        }
        findings.into_iter().find_map(|(_, finding)| match finding {
            Finding::Silent => self.on_silent(events),
            Finding::Still => self.on_still(events),
        })
    }

    fn on_silent(&mut self, events: &WorkerEvents) -> Option<String> {
        let LivenessPolicy {
            interval,
            missed_beats,
            ..
        } = self.policy;
        let (bee, pid) = (self.bee.0, self.pid);
        let verdict = if mt_ipc::is_stopped(pid) {
            events.tell(move || tracing::warn!(bee, pid, "a worker bee is stopped"));
            self.health = BeeHealth::Stopped;
            self.policy.stopped
        } else {
            events.tell(move || tracing::warn!(bee, pid, "a worker bee gives no sign of life"));
            self.health = BeeHealth::Frozen;
            self.policy.frozen
        };
        (verdict == Verdict::Kill).then(|| {
            format!(
                "she gave no sign of life for {missed_beats} beats of {interval:?} and was killed"
            )
        })
    }

    fn on_still(&mut self, events: &WorkerEvents) -> Option<String> {
        if !self.liveness.take_blocked(self.bee) {
            return None;
        }
        let since = self
            .policy
            .interval
            .saturating_mul(self.policy.blocked_checks);
        let (bee, pid) = (self.bee.0, self.pid);
        self.health = BeeHealth::Blocked;
        events.tell(move || {
            tracing::warn!(bee, pid, ?since, "a task of a worker bee holds her thread");
        });
        (self.policy.blocked == Verdict::Kill)
            .then(|| format!("a task of hers has held her thread for {since:?} and she was killed"))
    }
}
