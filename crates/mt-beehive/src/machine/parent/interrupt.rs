//! The hive is interrupted: what runs goes on to its end, and nothing is begun any more.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::TaskId;

use super::{
    ParentMachine,
    task::{State, Task},
};

impl ParentMachine {
    /// Cancels what nobody does. From here on what is delegated is cancelled at once, and so is what a bee had
    /// that dies; no bee is started.
    pub(super) fn on_interrupt(&mut self, now: Instant) {
        if self.interrupted {
            return;
        }
        self.interrupted = true;
        let waits = |task: &Task| !matches!(task.state, State::Owned { .. });
        for task_id in self.tasks_that(waits) {
            let reason = reason(self.tasks[&task_id].begun, None);
            self.on_cancel(now, task_id, reason);
        }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Why a task is cancelled that would wait now, if the hive is interrupted. `how` its bee died, if one did
    /// just now.
    pub(super) fn interruption(&self, task_id: TaskId, how: Option<&str>) -> Option<String> {
        let begun = self.tasks.get(&task_id).map_or(0, |task| task.begun);
        self.interrupted.then(|| reason(begun, how))
    }
}

/// It was begun so often, and nobody does it now.
fn reason(begun: u32, how: Option<&str>) -> String {
    let how = how.and_then(|how| how.lines().next());
    let how = how.map_or(String::new(), |how| format!(": {how}"));
    match begun {
        0 => "interrupted: by Ctrl-C, before it was begun; nothing of it was done, and it can be delegated \
              again in another run"
            .to_owned(),
        _ => format!(
            "interrupted: by Ctrl-C, before it could be begun again; it was begun (attempts: {begun}) and its \
             bee died{how}; see what it has done before it is delegated again in another run"
        ),
    }
}
