//! What children owe an answer to, whatever their tasks do, and when that is too late.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A child's messages are answered by a thread that runs no user code. One that beats and does not answer is mad: it
//! is killed, for that, and replaced. What children may be waited for, and what ends each wait:
//!
//! | wait | ended by |
//! |---|---|
//! | its process says hello, and is set up | `supervision/`: the hello timeout, the init deadline |
//! | `ready`, once its process is set up | [`answer`](Config::answer) |
//! | an answer to `new_task` | [`answer`](Config::answer) |
//! | an answer to `give_back` | [`answer`](Config::answer) |
//! | `task_done` | the task's deadline, if it has one: a task may take for ever. But a child that has tasks and says nothing for so long is asked for [`answer`](Config::answer): a `give_back` of 0 |
//! | `task_done` after `task_cancel` | [`cancel_grace`](Config::cancel_grace) |
//! | `dead`, or `dying`, after `die` | [`exit_grace`](Config::exit_grace), once it has nothing left to do |
//! | `dead` after `dying` | [`bury_grace`](Config::bury_grace): its own hive's end, which has all of these, and more if something holds the child's thread |
//! | its end, after `dead` | [`exit_grace`](Config::exit_grace) |
//! | its end, after it was killed | the system |

use std::time::{Duration, Instant};

use mt_pool::supervision::DeathCause;

#[cfg(doc)]
use super::Config;
use super::{BeeId, ParentMachine, bee_slot::BeeSlot};

/// What comes later than this shows that this process was stopped, or the machine elsewhere: what the child has
/// said since may not have been read, so the wait begins once more.
const LATE: Duration = Duration::from_millis(100);

impl ParentMachine {
    /// A child's process is set up: its `ready` is on the way.
    pub(super) fn on_made(&mut self, child: BeeId) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.made = true;
            bee.on_answer(self.now);
        }
    }

    /// When the first child will have owed an answer for too long, or is to be asked whether it hears.
    pub(super) fn answers_due(&self) -> Option<Instant> {
        let limit = self.config.answer;
        let due = |bee: &BeeSlot| bee.answer_due(limit).or(bee.question_due(limit));
        self.bees.values().filter_map(due).min()
    }

    /// Kills the children that owe an answer for too long.
    pub(super) fn end_waits(&mut self, now: Instant) {
        let limit = self.config.answer;
        let due = |bee: &BeeSlot| bee.answer_due(limit).filter(|&due| due <= now);
        for child in self.children_that(|bee| due(bee).is_some()) {
            let Some(bee) = self.bees.get_mut(&child) else {
                continue;
            };
            let late = due(bee).is_some_and(|due| now - due > LATE);
            if late && !bee.was_late {
                (bee.waited_since, bee.was_late) = (Some(now), true);
                continue;
            }
            self.kill(child, DeathCause::NoAnswer { limit });
        }
        let is_due = |bee: &BeeSlot| bee.question_due(limit).is_some_and(|due| due <= now);
        for child in self.children_that(is_due) {
            self.ask_back(child, 0);
        }
    }
}
