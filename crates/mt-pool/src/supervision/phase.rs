//! Where a worker is in its life, with what is valid there.

use mt_proto::{FromWorker, SetupFailure, TraceEvent, WorkerBeat};
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
    /// The worker has said that it could not be set up; its leave follows.
    Failed,
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

/// What a message comes to, besides what it changes in the phase.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Ready,
    Failed(SetupFailure),
    Beat(WorkerBeat),
    Trace {
        events: Vec<TraceEvent>,
        dropped: u64,
    },
    Rest,
}

/// The end that is waited for, in any phase.
#[derive(Debug)]
pub(super) struct Ending {
    /// What it is killed for if it is still there by then.
    pub(super) cause: DeathCause,
    pub(super) until: Instant,
}

impl Phase {
    /// Takes in what a worker says that was greeted. The error says how it breaks the protocol.
    pub(super) fn on_message(&mut self, message: FromWorker) -> Result<Step, &'static str> {
        let step = match (message, &*self) {
            (FromWorker::Hello(_), _) => return Err("it said hello twice"),
            (FromWorker::Ready, Self::SettingUp { .. }) => {
                *self = Self::Working;
                Step::Ready
            }
            (FromWorker::Ready, _) => return Err("it was ready twice"),
            (FromWorker::SetupFailed(failure), Self::SettingUp { .. }) => {
                *self = Self::Failed;
                Step::Failed(failure)
            }
            (FromWorker::SetupFailed(_), _) => return Err("its setup failed too late"),
            (FromWorker::Beat(beat), _) => Step::Beat(beat),
            (FromWorker::Trace { events, dropped }, _) => Step::Trace { events, dropped },
            (FromWorker::Rested, Self::Working) => Step::Rest,
            (FromWorker::Rested, _) => return Err("it rests without having been told to"),
            (FromWorker::Bye, _) => {
                let was_ready = !self.is_early();
                *self = Self::Leaving { was_ready };
                Step::Nothing
            }
        };
        Ok(step)
    }

    /// Whether a message of the role is in turn. The error says how it breaks the protocol.
    pub(super) fn check_role_frame(&self) -> Result<(), &'static str> {
        match self {
            Self::Idle { .. } => Err("it spoke while it had nothing to do"),
            _ if self.is_early() => Err("it spoke before it was ready"),
            _ => Ok(()),
        }
    }

    /// Whether it has said hello and works for somebody: it is to beat, and can be spoken to.
    pub(super) fn is_watched(&self) -> bool {
        !matches!(self, Self::Greeting(_) | Self::Idle { .. })
    }

    /// Whether setting up, or saying hello, is what is waited for.
    pub(super) fn is_early(&self) -> bool {
        matches!(
            self,
            Self::Greeting(_) | Self::SettingUp { .. } | Self::Failed
        )
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Greeting(hello) => Some(hello.due()),
            Self::SettingUp { due, .. } => *due,
            Self::Idle { until, .. } => *until,
            Self::Failed | Self::Working | Self::Leaving { .. } => None,
        }
    }

    /// Why a worker that ends in this phase did not get as far as being set up; `None` if it did.
    pub(super) fn failure(&self, death: &Death) -> Option<WorkerFailure> {
        let death = || death.clone();
        match self {
            Self::Greeting(_) => Some(WorkerFailure::NoHello { death: death() }),
            Self::SettingUp { .. } | Self::Failed | Self::Leaving { was_ready: false } => {
                Some(WorkerFailure::DiedInSetup { death: death() })
            }
            Self::Working | Self::Idle { .. } | Self::Leaving { was_ready: true } => None,
        }
    }
}

#[cfg(test)]
mod tests;
