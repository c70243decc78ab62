//! Why a task was cancelled.

use std::{fmt, time::Duration};

use mt_pool::supervision::{Death, WorkerFailure};
use serde::{Deserialize, Serialize};

/// The most bytes of a process's last words that are shown.
const SHOWN_LAST_WORDS_BYTES: usize = 2048;

/// Why a task was cancelled. When a [`Delegate`](crate::Delegate) ends with it, nobody does the task any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelReason {
    /// The task took longer than its [`deadline`](crate::Delegate::deadline), waiting included.
    Deadline {
        /// How long it might take.
        limit: Duration,
    },
    /// The worker bee's process died each time the task was begun. What was done of the task until then is done.
    WorkerLost {
        /// The last death.
        death: Death,
        /// How many worker bees died while they had the task: the
        /// [`crash_limit`](crate::BeehiveRun::crash_limit).
        attempts: u32,
    },
    /// Ctrl-C has interrupted the hive: see [`workers`](crate::BeehiveRun::workers).
    Interrupted {
        /// How often the task was begun. With 0 nothing of it was done, and it can be delegated again in another
        /// run; otherwise see first what it has done.
        begun: u32,
        /// How the worker bee's process died that had the task just then, if it was that.
        death: Option<Death>,
    },
    /// There is no worker bee that could do the task, and there will be none.
    NoWorkers(NoWorkers),
    /// The hive dies or is dead: nothing more is taken.
    HiveClosed,
    /// The [`Delegate`](crate::Delegate) was dropped. Nobody is left to be told so.
    Dropped,
    /// The worker bee says that the task was cancelled, and nobody had asked for it.
    Unasked,
}

/// Why there is no worker bee. Of several that were tried it is the last one's reason, when the
/// [restart budget](crate::limits::WorkerOptions::restart_budget) was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NoWorkers {
    /// The last one was [buried](crate::Hive::bury), and the hive dies.
    Buried,
    /// The bee's `new` failed or panicked.
    NotMade {
        /// What it said.
        message: String,
    },
    /// The bee's `new` took longer than the [deadline for that](crate::limits::Deadlines::init).
    TimedOut {
        /// How long it might take.
        limit: Duration,
    },
    /// The bee's process died before it did anything.
    Died {
        /// How.
        death: Death,
    },
    /// The bee's process could not be started, or did not say hello as it should.
    NotStarted {
        /// Why.
        message: String,
    },
}

impl From<WorkerFailure> for NoWorkers {
    fn from(failure: WorkerFailure) -> Self {
        match failure {
            WorkerFailure::Setup { message, .. } => Self::NotMade { message },
            WorkerFailure::SetupTimedOut { limit } => Self::TimedOut { limit },
            WorkerFailure::NoHello { death }
            | WorkerFailure::DiedInSetup { death }
            | WorkerFailure::Died { death } => Self::Died { death },
            other => Self::NotStarted {
                message: other.to_string(),
            },
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { limit } => write!(f, "deadline: it took longer than {limit:?}"),
            Self::WorkerLost { death, attempts } => {
                let (brief, words) = (death.brief(), last_words(death));
                write!(f, "worker lost: {brief} (attempts: {attempts}){words}")
            }
            Self::Interrupted { begun: 0, .. } => f.write_str(
                "interrupted: by Ctrl-C, before it was begun; nothing of it was done, and it can be delegated \
                 again in another run",
            ),
            Self::Interrupted { begun, death } => {
                let how = death.as_ref().map(|death| format!(": {}", death.brief()));
                let how = how.unwrap_or_default();
                write!(
                    f,
                    "interrupted: by Ctrl-C, before it could be begun again; it was begun (attempts: {begun}) \
                     and the worker bee died{how}; see what it has done before it is delegated again in \
                     another run"
                )
            }
            Self::NoWorkers(why) => write!(f, "no worker bee could be had: {why}"),
            Self::HiveClosed => f.write_str("the hive is closed"),
            Self::Dropped => f.write_str("nobody waits for it any more"),
            Self::Unasked => f.write_str("the worker bee stopped it unasked"),
        }
    }
}

impl fmt::Display for NoWorkers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buried => f.write_str("the last was buried"),
            Self::NotMade { message } | Self::NotStarted { message } => f.write_str(message),
            Self::TimedOut { limit } => write!(
                f,
                "`new` took longer than {limit:?}, and the worker bee's process was killed; give it more time with \
                 `init_deadline`, if it needs that"
            ),
            Self::Died { death } => write!(f, "{}{}", death.brief(), last_words(death)),
        }
    }
}

/// To be put behind a sentence about the death.
fn last_words(death: &Death) -> String {
    match death.last_words.end(SHOWN_LAST_WORDS_BYTES) {
        words if words.is_empty() => words,
        words => format!("; its last words:\n{words}"),
    }
}
