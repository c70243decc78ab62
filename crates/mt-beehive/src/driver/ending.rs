//! The end of a hive: what becomes of its tasks, and what came of it.

use std::time::{Duration, Instant};

use mt_pool::limits::reckonable;
use tokio::sync::oneshot;

use super::command_queue::answer;

/// What became of a hive that was shut down within a grace, see
/// [`shutdown_within`](crate::RunningHive::shutdown_within). All of its worker bees are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HiveShutdown {
    /// The tasks that were delegated and had not ended when it began.
    pub tasks: usize,
    /// How many of these had not ended after the grace, and were cancelled.
    pub cancelled_tasks: usize,
    /// The worker bees there were when it began.
    pub bees: usize,
}

impl HiveShutdown {
    /// Whether all that was delegated has ended within the grace: no task had to be cancelled.
    #[must_use]
    pub fn is_graceful(&self) -> bool {
        self.cancelled_tasks == 0
    }
}

/// What becomes of the tasks of a hive that is to end.
#[derive(Debug)]
pub(crate) enum HiveEnd {
    /// The tasks are done.
    Finish,
    /// The tasks are cancelled: nobody is left to wait for them.
    Abandon,
    /// The tasks are done, those that are not after so long are cancelled, and this is told in the end.
    Within(Duration, oneshot::Sender<HiveShutdown>),
}

/// An end within a grace, while the tasks are done.
#[derive(Debug)]
pub(super) struct Grace {
    /// When the tasks that are left are cancelled; `None` once they are.
    cancel_at: Option<Instant>,
    found: HiveShutdown,
    tell: oneshot::Sender<HiveShutdown>,
}

impl Grace {
    /// Begins now, with so many tasks and bees.
    pub(super) fn new(
        grace: Duration,
        (tasks, bees): (usize, usize),
        tell: oneshot::Sender<HiveShutdown>,
    ) -> Self {
        Self {
            cancel_at: Some(Instant::now() + reckonable(grace)),
            found: HiveShutdown {
                tasks,
                cancelled_tasks: 0,
                bees,
            },
            tell,
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.cancel_at
    }

    /// Whether it is over, which is so once. So many tasks have not ended.
    pub(super) fn is_over(&mut self, now: Instant, tasks: usize) -> bool {
        let is_over = self.cancel_at.take_if(|at| *at <= now).is_some();
        if is_over {
            self.found.cancelled_tasks = tasks;
        }
        is_over
    }

    /// Every bee is gone.
    pub(super) fn tell(self) {
        answer(self.tell, self.found);
    }
}
