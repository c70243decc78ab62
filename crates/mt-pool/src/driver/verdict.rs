//! What is done with workers that give no sign of life, or get no further.

use mt_ipc::Activity;
use mt_proto::WorkerId;

use super::driver::Supervisor;
use crate::{PoolEvent, Verdict, supervision::DeathCause};

impl Supervisor {
    /// A worker gives no sign of life: somebody has stopped it, or it is frozen.
    pub(super) fn on_silent(&mut self, worker: WorkerId) {
        let Some(pid) = self.workers.pid(worker) else {
            return;
        };
        let stopped = mt_ipc::is_stopped(pid);
        let (verdict, event) = if stopped {
            self.trace(move || tracing::warn!(worker = worker.0, pid, "a worker is stopped"));
            let worker = worker.0;
            (
                self.policy.stopped,
                PoolEvent::WorkerStopped { worker, pid },
            )
        } else {
            self.trace(move || {
                tracing::warn!(worker = worker.0, pid, "a worker gives no sign of life");
            });
            let worker = worker.0;
            (self.policy.frozen, PoolEvent::WorkerFrozen { worker, pid })
        };
        self.tell(&event);
        if verdict == Verdict::Kill {
            self.workers.kill(worker, DeathCause::Frozen);
        }
    }

    /// A worker beats and gets no further. A plain function that uses the processor is busy.
    pub(super) fn on_still(&mut self, worker: WorkerId) {
        let Some(pid) = self.workers.pid(worker) else {
            return;
        };
        let ticks = Activity::of(pid).map(|activity| activity.cpu_ticks);
        let used = self.workers.note_ticks(worker, ticks);
        if self.plain_calls && used {
            self.liveness.on_busy(worker);
        }
        if !self.liveness.take_blocked(worker) {
            return;
        }
        let since = self.policy.interval * self.policy.blocked_checks;
        self.trace(move || {
            tracing::warn!(worker = worker.0, pid, ?since, "a worker gets no further");
        });
        self.tell(&PoolEvent::WorkerBlocked {
            worker: worker.0,
            pid,
            since,
        });
        if self.policy.blocked == Verdict::Kill {
            self.workers.kill(worker, DeathCause::Blocked);
        }
    }
}
