//! How long a hive's tasks and bees may take to be made, to stop and to go.

use std::time::Duration;

use mt_pool::limits::reckonable;

/// How long a hive's bees may take to be made and to go, and cancelled tasks to stop. Times beyond 30 years mean
/// "never". How long a task may take is said where it is delegated: [`Delegate::deadline`](crate::Delegate::deadline).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "they are given to a hive by `deadlines`"]
pub struct Deadlines {
    pub(super) init: Duration,
    pub(super) exit_grace: Duration,
    pub(super) bury_grace: Duration,
    pub(super) cancel_grace: Duration,
    pub(super) answer: Duration,
    pub(super) suspect_grace: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            init: Duration::from_secs(60),
            exit_grace: Duration::from_secs(5),
            bury_grace: Duration::from_secs(60),
            cancel_grace: Duration::from_millis(50),
            answer: Duration::from_secs(30),
            suspect_grace: Duration::from_secs(10),
        }
    }
}

impl Deadlines {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a worker bee may take to be made: its `new`. Default 60 s, as in the pool; at least 1 ms. A bee that
    /// takes longer is killed and replaced under the
    /// [restart budget](mt_pool::limits::WorkerOptions::restart_budget).
    pub fn init(mut self, limit: Duration) -> Self {
        self.init = reckonable(limit);
        self
    }

    /// How long a worker bee that was told to die may take once its last task is done, and one that can't be made until its
    /// process has ended; it is then killed.
    /// Default 5 s. It is the bee's time to close what it has open, and to be scheduled at all on a
    /// machine that is overloaded; no task is affected. With zero the bee is killed as soon as it has nothing to do.
    ///
    /// The tasks themselves have no such limit: a hive waits for them when it is to end. That they have kept it for so
    /// long, and for twice as long, and so on, is a `tracing` event of level warn.
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.exit_grace = reckonable(grace);
        self
    }

    /// How long a worker bee that has worker bees of its own, `#[worker(worker = W)]`, may take to let them go, counted
    /// from when the bee has begun with that; the bee is then killed with all that is below. Default 60 s: a hive below
    /// has an `exit_grace` of its own, 5 s, for each of its levels. If the hives below are given more, this hive is to be
    /// given more than all their levels together. What holds a bee's thread meanwhile, a local task that one of its tasks
    /// has left behind, say, is waited for no longer than this either. With zero the bee is killed as soon as it has
    /// nothing to do but that.
    pub fn bury_grace(mut self, grace: Duration) -> Self {
        self.bury_grace = reckonable(grace);
        self
    }

    /// How long a task goes on, at most, after it was cancelled: by its deadline, or because nobody waits for it.
    /// Its bee is then killed, and what else that did is begun again elsewhere. Default 50 ms, which is long for
    /// a task that gives its thread back at an `await`, and makes an end of one that does not soon enough. Give more
    /// to bees with blocking pieces of work worth waiting for; with zero every cancelling kills.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = reckonable(grace);
        self
    }

    /// How long a task that has seen a bee die runs apart from others, in its next one, before they may join it again.
    /// Default 10 s: what kills its bee mostly does so at once, and tasks may go on for ever, which nobody can wait for.
    /// A task that kills later than this may cost those that have joined it an attempt; but one death never makes more
    /// than one task be given up, and after each the time is doubled for those that had company. With zero, suspects
    /// are not kept apart.
    pub fn suspect_grace(mut self, grace: Duration) -> Self {
        self.suspect_grace = reckonable(grace);
        self
    }

    /// How long a worker bee that gives signs of life may owe an answer which no task holds up: whether the bee wants
    /// a task, or gives back what waits for its thread. Default 30 s, at least 1 ms. The thread that answers runs no
    /// code of the bee's and takes microseconds; so much time is for a machine that has none to spare. A bee that does
    /// not answer is killed, [`DeathCause::NoAnswer`](mt_pool::supervision::DeathCause::NoAnswer), and replaced under
    /// the [restart budget](mt_pool::limits::WorkerOptions::restart_budget); its tasks are treated as after any death.
    /// One that is stopped owes nothing until it goes on.
    pub fn answer(mut self, limit: Duration) -> Self {
        self.answer = reckonable(limit);
        self
    }
}
