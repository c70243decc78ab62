//! Why a task was cancelled.

use std::time::Duration;

use mt_pool::supervision::{Death, WorkerFailure};
use serde::{Deserialize, Serialize};

/// The most bytes of a process's last words that are shown.
const SHOWN_LAST_WORDS_BYTES: usize = 2048;

/// Why a task was cancelled. When a [`Delegate`](crate::Delegate) ends with it, nobody does the task any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelReason {
    /// The task took longer than its [`deadline`](crate::Delegate::deadline), waiting included.
    #[error("deadline: it took longer than {limit:?}")]
    Deadline {
        /// How long it might take.
        limit: Duration,
    },
    /// The worker bee's process died each time the task was begun. What was done of the task until then is done.
    #[error("worker lost: {} (attempts: {attempts}){}", death.brief(), last_words(death))]
    WorkerLost {
        /// The last death.
        death: Death,
        /// How many worker bees died while they had the task: the
        /// [`crash_limit`](crate::BeehiveRun::crash_limit). Fewer if it was not begun again: its
        /// [`deadline`](crate::Delegate::deadline) passed while its bee was dying, or its bee could not be ended,
        /// [`DeathCause::OutOfReach`](mt_pool::supervision::DeathCause::OutOfReach), and may still be at it.
        attempts: u32,
    },
    /// Ctrl-C has interrupted the hive: see [`workers`](crate::BeehiveRun::workers).
    #[error("interrupted: by Ctrl-C, {}", done_until_then(*begun, death.as_ref()))]
    Interrupted {
        /// How often the task was begun. With 0 nothing of it was done, and it can be delegated again in another
        /// run; otherwise see first what it has done.
        begun: u32,
        /// How the worker bee's process died that had the task just then, if it was that.
        death: Option<Death>,
    },
    /// There is no worker bee that could do the task, and there will be none.
    #[error("no worker bee could be had: {0}")]
    NoWorkers(NoWorkers),
    /// The hive dies or is dead: nothing more is taken; or the time is over that it
    /// [had for its end](crate::RunningHive::shutdown_within).
    #[error("the hive is closed")]
    HiveClosed,
    /// The [`Delegate`](crate::Delegate) was dropped. Nobody is left to be told so.
    #[error("nobody waits for it any more")]
    Dropped,
    /// The worker bee says that the task was cancelled, and nobody had asked for it.
    #[error("the worker bee stopped it unasked")]
    Unasked,
}

/// Why there is no worker bee. Of several that were tried it is the last one's reason, when the
/// [restart budget](crate::limits::WorkerOptions::restart_budget) was spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NoWorkers {
    /// The last one was [buried](crate::Hive::bury), and the hive dies.
    #[error("the last was buried")]
    Buried,
    /// The bee's `new` failed or panicked.
    #[error("{message}")]
    NotMade {
        /// What it said.
        message: String,
    },
    /// The bee's `new` took longer than the [deadline for that](crate::limits::Deadlines::init).
    #[error(
        "`new` took longer than {limit:?}, and the worker bee's process was killed; give it more time with \
         `Deadlines::init`, if it needs that"
    )]
    TimedOut {
        /// How long it might take.
        limit: Duration,
    },
    /// The bee's process died before it did anything.
    #[error("{}{}", death.brief(), last_words(death))]
    Died {
        /// How.
        death: Death,
    },
    /// The bee's process could not be started, or did not say hello as it should.
    #[error("{message}")]
    NotStarted {
        /// Why.
        message: String,
    },
}

impl From<&WorkerFailure> for NoWorkers {
    fn from(failure: &WorkerFailure) -> Self {
        match failure {
            WorkerFailure::Setup { message, .. } => Self::NotMade {
                message: message.clone(),
            },
            &WorkerFailure::SetupTimedOut { limit } => Self::TimedOut { limit },
            WorkerFailure::NoHello { death }
            | WorkerFailure::DiedInSetup { death }
            | WorkerFailure::Died { death } => Self::Died {
                death: death.clone(),
            },
            other => Self::NotStarted {
                message: other.to_string(),
            },
        }
    }
}

/// What an interrupted task has done, as far as that is known.
fn done_until_then(begun: u32, death: Option<&Death>) -> String {
    if begun == 0 {
        let nothing = "before it was begun; nothing of it was done, and it can be delegated again in another run";
        return nothing.to_owned();
    }
    let how = death.map(|death| format!(": {}", death.brief()));
    let how = how.unwrap_or_default();
    format!(
        "before it could be begun again; it was begun (attempts: {begun}) and the worker bee died{how}; see what it \
         has done before it is delegated again in another run"
    )
}

/// To be put behind a sentence about the death.
fn last_words(death: &Death) -> String {
    match death.last_words.end(SHOWN_LAST_WORDS_BYTES) {
        words if words.is_empty() => words,
        words => format!("; its last words:\n{words}"),
    }
}
