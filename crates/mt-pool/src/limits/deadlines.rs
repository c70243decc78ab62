//! How long items and workers may take.

use std::time::Duration;

use super::check::{is_time, reckonable};
use crate::{error::StartError, setters::setters};

/// How long things may take: an item, its call, and what a worker does besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it is given to a run by `deadlines`"]
pub struct Deadlines {
    pub(crate) queue: Option<Duration>,
    pub(crate) soft: Option<Duration>,
    pub(crate) hard: Option<Duration>,
    pub(crate) init: Duration,
    pub(crate) context: Option<Duration>,
    pub(crate) exit_grace: Duration,
    pub(crate) kill_grace: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            queue: None,
            soft: None,
            hard: None,
            init: Duration::from_secs(60),
            context: None,
            exit_grace: Duration::from_secs(5),
            kill_grace: Duration::from_millis(50),
        }
    }
}

impl Deadlines {
    /// The defaults: no limit for items.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How long an item may wait between being pulled from the input and being started, at least 1 ms.
        /// One that waits longer gets [`TimedOut`](crate::TaskErrorKind::TimedOut) and is never started.
        /// Default: no limit.
        ///
        /// An input that is pulled faster than it is worked off lets up to
        /// [`capacity`](crate::AsynPmap::capacity) items wait; set that too if waiting matters. The one item that
        /// waits in a worker whose plain function is busy has its outcome when that call is over.
        pub fn queue(self, limit: Duration) => self.queue = Some(reckonable(limit));

        /// How long a call may take before it is asked to end, at least 1 ms: an `async` call is cancelled at
        /// its next `await` (dropped), a plain function can ask [`is_cancelled`](crate::is_cancelled). The
        /// worker goes on. Default: no limit.
        pub fn soft(self, limit: Duration) => self.soft = Some(reckonable(limit));

        /// How long a call may take before it is ended, whatever it does (an endless loop, a blocking C
        /// call), at least 1 ms. Its worker gets `SIGTERM`, after [`kill_grace`](Self::kill_grace)
        /// `SIGKILL`, with everything it has started; other items that ran in it are run again elsewhere,
        /// and are not charged with it (but with a [`crash_limit`](crate::AsynPmap::crash_limit) of 1, which
        /// forbids that, they are [`Crashed`](crate::TaskErrorKind::Crashed)). The outcome comes when the process is
        /// gone. A result that comes before it is gone counts. Default: no limit.
        ///
        /// What runs is looked at every 25 ms (four times a deadline, if that is shorter), and at the very
        /// moment a deadline passes, so a call may run up to that much longer. An `async` call that blocks the
        /// thread holds up the others in its worker; their time stands still meanwhile, its own does not. Time
        /// in which the parent itself was not running (a suspended machine) does not count.
        pub fn hard(self, limit: Duration) => self.hard = Some(reckonable(limit));

        /// How long a worker's [`init`](crate::AsynPmap::init) may take, at least 1 ms. Default 60 s. A worker that
        /// takes longer is killed and replaced under the
        /// [restart budget](super::WorkerOptions::restart_budget).
        pub fn init(self, limit: Duration) => self.init = reckonable(limit);

        /// How long opening and closing a [`Context`](crate::Context) may take each, at least 1 ms. The items
        /// of a batch whose context takes longer get [`Context`](crate::TaskErrorKind::Context). Default: no
        /// limit. Works at the context's next `await`; one that blocks its thread is ended by the
        /// [`hard`](Self::hard) deadline of the item it is opened for. A close that blocks its thread for longer
        /// than this (without it, than the hard deadline) is ended with its worker
        /// ([`CloseBlocked`](crate::supervision::DeathCause::CloseBlocked)); items that ran beside it are run again
        /// elsewhere. At the end of a run that is what [`exit_grace`](Self::exit_grace) does.
        pub fn context(self, limit: Duration) => self.context = Some(reckonable(limit));

        /// How long a worker may take to close its contexts, to call its exit hook and to exit when all is done, or when
        /// it has said that it can't be set up, or that it goes. Default 5 s. A worker that takes longer is killed,
        /// [`Lingered`](crate::supervision::DeathCause::Lingered).
        pub fn exit_grace(self, grace: Duration) => self.exit_grace = reckonable(grace);

        /// How long a worker has between `SIGTERM` and `SIGKILL`. Default 50 ms.
        pub fn kill_grace(self, grace: Duration) => self.kill_grace = reckonable(grace);
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        is_time("deadlines.queue", self.queue)?;
        is_time("deadlines.soft", self.soft)?;
        is_time("deadlines.hard", self.hard)?;
        is_time("deadlines.context", self.context)?;
        is_time("deadlines.init", self.init)
    }
}
