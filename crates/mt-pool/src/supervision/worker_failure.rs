//! Why a worker process could not be had, or not be brought to work.

use std::{sync::Arc, time::Duration};

use mt_ipc::{HandshakeError, NOT_STARTED, SpawnError};
use mt_proto::SetupStep;

use super::{death::Death, plain::Plain};

/// Why no worker could be had. It is the outcome of every item that was waiting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerFailure {
    /// The operating system did not start one.
    #[error("no worker process could be started: {0}")]
    Spawn(SpawnError),
    /// The process is another build, or it never got as far as speaking.
    #[error("a worker process was refused: {0}")]
    Handshake(HandshakeError),
    /// The process ended before it said hello.
    #[error(
        "a worker process ended before it said hello ({}){}{}",
        death.brief(),
        advice(death),
        death.last_words.appended()
    )]
    NoHello {
        /// How it ended.
        death: Death,
    },
    /// The process lives and can't say hello: its program does not contain this library.
    #[error(
        "a worker process said nothing: it runs {program}, which does not contain mt-pool; the worker program is to be one of the same build whose `main` calls `mt_pool::init()` or `mt_beehive::init()` first"
    )]
    Foreign {
        /// What it runs.
        program: String,
    },
    /// The process lives, but has not said hello within the
    /// [`start_limit`](crate::limits::WorkerOptions::start_limit).
    #[error(
        "a worker process said nothing for {:.1} s; does `main` of the worker program call `mt_pool::init()` or `mt_beehive::init()` first? If it is just slow to start, give it more time with `start_limit`",
        waited.as_secs_f64()
    )]
    Silent {
        /// How long the pool waited.
        waited: Duration,
    },
    /// The worker could not be set up.
    #[error("setting up a worker process failed at {step:?}: {}", Plain(.message))]
    Setup {
        /// How far it came; [`Init`](SetupStep::Init) is the user's init function.
        step: SetupStep,
        /// What went wrong there.
        message: String,
    },
    /// The init function took too long.
    #[error(
        "setting up a worker process took longer than {limit:?}, and it was killed; give init more time with `init_deadline`, if it needs it"
    )]
    SetupTimedOut {
        /// The most it may take.
        limit: Duration,
    },
    /// The process ended while it was being set up.
    #[error("a worker process died while it was being set up: {death}")]
    DiedInSetup {
        /// How it ended.
        death: Death,
    },
    /// Workers keep dying without an item to blame.
    #[error("worker processes keep dying before they finish any item: {death}")]
    Died {
        /// How the last one ended.
        death: Death,
    },
}

/// What to do about a worker that ended without a word; nothing more than what its last words say, if it was one.
fn advice(death: &Death) -> &'static str {
    if death.exit.code == Some(NOT_STARTED) {
        return ", for a reason that it has said on its standard error";
    }
    "; does `main` of the worker program call `mt_pool::init()` or `mt_beehive::init()` first?"
}

impl WorkerFailure {
    /// The same, if it was a death, by this one.
    pub(crate) fn by(self: Arc<Self>, death: &Death) -> Arc<Self> {
        let death = death.clone();
        Arc::new(match &*self {
            Self::NoHello { .. } => Self::NoHello { death },
            Self::DiedInSetup { .. } => Self::DiedInSetup { death },
            Self::Died { .. } => Self::Died { death },
            _ => return self,
        })
    }

    /// Whether another worker would fare the same.
    pub(crate) fn is_hopeless(&self) -> bool {
        match self {
            Self::Spawn(error) => matches!(error, SpawnError::Replaced { .. }),
            Self::Handshake(error) => matches!(error, HandshakeError::OtherBuild { .. }),
            Self::Setup { step, .. } => matches!(step, SetupStep::Lookup | SetupStep::Decode),
            other => matches!(other, Self::Silent { .. } | Self::Foreign { .. }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Case G12: Whatever the system lacks when a worker is to be started (space, memory, descriptors, processes) is said by name, and the next start may have it.
    #[test]
    fn what_the_system_lacks_is_named_and_may_come_back() {
        const LACKS: [(i32, &str); 5] = [
            (28, "No space left"),
            (12, "allocate memory"),
            (24, "Too many open files"),
            (23, "Too many open files in system"),
            (11, "temporarily unavailable"),
        ];
        for (number, says) in LACKS {
            let lacking = || io::Error::from_raw_os_error(number);
            let program = "x".to_owned();
            let source = lacking();
            for error in [lacking().into(), SpawnError::Program { program, source }] {
                let failure = WorkerFailure::Spawn(error);
                assert!(failure.to_string().contains(says), "{failure}");
                assert!(!failure.is_hopeless(), "{failure}");
            }
        }
    }
}
