//! The hive is interrupted: what runs goes on to its end, and nothing is begun any more.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_pool::supervision::Death;
use mt_proto::TaskId;

use super::{
    ParentMachine,
    task::{Task, TaskState},
};
use crate::error::CancelReason;

impl ParentMachine {
    /// Cancels what nobody does. From here on what is delegated is cancelled at once, and so is what a bee had
    /// that dies; no bee is started.
    pub(super) fn on_interrupt(&mut self, now: Instant) {
        if self.interrupted {
            return;
        }
        self.interrupted = true;
        let waits = |task: &Task| !matches!(task.state, TaskState::Owned { .. });
        for task_id in self.tasks_that(waits) {
            if let Some(reason) = self.interruption(task_id, None) {
                self.on_cancel(now, task_id, reason);
            }
        }
    }

    /// The same, and cancels what bees do.
    pub(super) fn on_interrupt_at_once(&mut self, now: Instant) {
        self.on_interrupt(now);
        for task_id in self.tasks_that(|_| true) {
            if let Some(reason) = self.interruption(task_id, None) {
                self.on_cancel(now, task_id, reason);
            }
        }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Why a task is cancelled that would wait now, if the hive is interrupted. `death` is that of its bee, if one
    /// died just now.
    pub(super) fn interruption(
        &self,
        task_id: TaskId,
        death: Option<&Death>,
    ) -> Option<CancelReason> {
        let begun = self.tasks.get(&task_id).map_or(0, |task| task.begun);
        let death = death.cloned();
        self.interrupted
            .then_some(CancelReason::Interrupted { begun, death })
    }
}
