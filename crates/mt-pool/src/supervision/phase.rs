//! Where a worker is in its life, with what is valid there.

use tokio::time::Instant;

use super::{
    death::{Death, DeathCause},
    hello_timeout::HelloTimeout,
    idle_workers::IdleWait,
    worker_failure::WorkerFailure,
};

#[derive(Debug)]
pub(super) enum Phase {
    /// The process exists, and has said nothing yet.
    Greeting(HelloTimeout),
    SettingUp {
        /// By when it has to be set up.
        due: Option<Instant>,
        extended: bool,
    },
    Working,
    /// Nobody needs it; it waits for the next assignment.
    Idle {
        /// Since when it may go if nobody needs it.
        until: Option<Instant>,
        wait: IdleWait,
    },
    /// The worker has said that it goes, or was told to with nothing to finish.
    Leaving {
        was_ready: bool,
    },
}

/// The end that is waited for, in any phase.
#[derive(Debug)]
pub(super) struct Ending {
    /// What it is killed for if it is still there by then.
    pub(super) cause: DeathCause,
    pub(super) until: Instant,
}

impl Phase {
    /// Whether it has said hello and works for somebody: it is to beat, and can be spoken to.
    pub(super) fn is_watched(&self) -> bool {
        !matches!(self, Self::Greeting(_) | Self::Idle { .. })
    }

    /// Whether setting up, or saying hello, is what is waited for.
    pub(super) fn is_early(&self) -> bool {
        matches!(self, Self::Greeting(_) | Self::SettingUp { .. })
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Greeting(hello) => Some(hello.due()),
            Self::SettingUp { due, .. } => *due,
            Self::Idle { until, .. } => *until,
            Self::Working | Self::Leaving { .. } => None,
        }
    }

    /// Why a worker that ends in this phase did not get as far as being set up; `None` if it did.
    pub(super) fn failure(&self, death: &Death) -> Option<WorkerFailure> {
        let death = || death.clone();
        match self {
            Self::Greeting(_) => Some(WorkerFailure::NoHello { death: death() }),
            Self::SettingUp { .. } | Self::Leaving { was_ready: false } => {
                Some(WorkerFailure::DiedInSetup { death: death() })
            }
            Self::Working | Self::Idle { .. } | Self::Leaving { was_ready: true } => None,
        }
    }
}
