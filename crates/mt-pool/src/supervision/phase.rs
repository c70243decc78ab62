//! Where a worker is in its life, with what is valid there, and how long each phase may last.
//!
//! | phase | what is waited for | ended by |
//! |---|---|---|
//! | greeting | the hello | [`start_limit`](super::SpawnSpec::start_limit) |
//! | setting up | `Ready`, or `SetupFailed` | [`init_deadline`](super::SpawnSpec::init_deadline), from when all of the assignment is there |
//! | failed | the process's end | [`exit_grace`](super::SpawnSpec::exit_grace), from `SetupFailed` |
//! | working | what its owner waits for | the owner, who knows what; and the liveness policy |
//! | idle | the next lease | the pool's idle time |
//! | dismissed | the process's end | the hang-up grace, from when it was told to go |
//! | leaving | the process's end | [`exit_grace`](super::SpawnSpec::exit_grace), from `Bye`, or from `SetupFailed` if that came before |
//!
//! The end of a process that was killed is for the system to bring about. A worker that says what is not its turn breaks
//! the protocol, and is killed for that; after `Bye` there is nothing to say.

use std::time::Duration;

use mt_proto::{FromWorker, SetupFailure, TraceEvents, WorkerBeat};
use tokio::time::Instant;

use super::{
    death::{Death, DeathCause},
    hello_timeout::HelloTimeout,
    idle_workers::IdleWait,
    worker_failure::WorkerFailure,
};

/// A wake-up that comes this much late shows that this process was stopped, or the machine elsewhere.
pub(crate) const LATE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) enum Phase {
    /// The process exists, and has said nothing yet.
    Greeting(HelloTimeout),
    SettingUp(Wait),
    /// The worker has said that it could not be set up; its leave follows.
    Failed(Wait),
    Working,
    /// Nobody needs it; it waits for the next assignment.
    Idle {
        /// Since when it may go if nobody needs it.
        until: Option<Instant>,
        wait: IdleWait,
    },
    /// The worker was told to go, with nothing to finish.
    Dismissed,
    /// The worker has said that it goes.
    Leaving {
        was_ready: bool,
        wait: Wait,
    },
}

/// How long a worker may take, as its owner has it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PhaseLimits {
    /// To be set up.
    pub(super) setup: Duration,
    /// To end, once it has said that it does.
    pub(super) leave: Duration,
}

/// A time by which a worker has to have gone on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    due: Option<Instant>,
    /// The wait was noticed late, and goes on for so much longer.
    extended: bool,
}

/// What a worker has not done in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Setup,
    Leave,
}

/// What a message comes to, besides what it changes in the phase.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Ready,
    Failed(SetupFailure),
    Beat(WorkerBeat),
    Trace { events: TraceEvents, dropped: u64 },
    Rest,
}

/// The end that is waited for, in any phase.
#[derive(Debug)]
pub(super) struct Ending {
    /// What it is killed for if it is still there by then.
    pub(super) cause: DeathCause,
    pub(super) until: Instant,
}

impl Wait {
    pub(super) fn new(now: Instant, limit: Duration) -> Self {
        Self {
            due: now.checked_add(limit),
            extended: false,
        }
    }

    /// Whether it is over, now that its time has come. One that is looked at late goes on once: this process was
    /// stopped, or the machine was elsewhere, and what is waited for may have happened long ago.
    fn is_over(&mut self, now: Instant, limit: Duration) -> bool {
        let late = self.due.take().map_or(Duration::ZERO, |due| now - due);
        if late <= LATE || self.extended {
            return true;
        }
        (self.due, self.extended) = (Some(now + late.min(limit)), true);
        false
    }
}

impl Phase {
    /// Takes in what a worker says that was greeted. The error says how it breaks the protocol.
    pub(super) fn on_message(
        &mut self,
        now: Instant,
        limits: PhaseLimits,
        message: FromWorker,
    ) -> Result<Step, &'static str> {
        let step = match (message, &mut *self) {
            (_, Self::Leaving { .. }) => return Err("it spoke after it had taken its leave"),
            (FromWorker::Hello(_), _) => return Err("it said hello twice"),
            (FromWorker::Ready, Self::SettingUp(_)) => {
                *self = Self::Working;
                Step::Ready
            }
            (FromWorker::Ready, _) => return Err("it was ready when nobody had asked"),
            (FromWorker::SetupFailed(failure), Self::SettingUp(_)) => {
                *self = Self::Failed(Wait::new(now, limits.leave));
                Step::Failed(failure)
            }
            (FromWorker::SetupFailed(_), _) => return Err("its setup failed too late"),
            (FromWorker::Beat(beat), _) => Step::Beat(beat),
            (FromWorker::Trace { events, dropped }, _) => Step::Trace { events, dropped },
            (FromWorker::Rested, Self::Working) => Step::Rest,
            (FromWorker::Rested, _) => return Err("it rests without having been told to"),
            // A lease may be on its way to it.
            (FromWorker::Bye, Self::Idle { .. }) => return Err("it left while it was to wait"),
            (FromWorker::Bye, before) => {
                let wait = match before {
                    Self::Failed(wait) => *wait,
                    _ => Wait::new(now, limits.leave),
                };
                let was_ready = !before.is_early();
                *self = Self::Leaving { was_ready, wait };
                Step::Nothing
            }
        };
        Ok(step)
    }

    /// Whether a message of the role is in turn. The error says how it breaks the protocol.
    pub(super) fn check_role_frame(&self) -> Result<(), &'static str> {
        match self {
            Self::Working => Ok(()),
            Self::Greeting(_) | Self::SettingUp(_) | Self::Failed(_) => {
                Err("it spoke before it was ready")
            }
            Self::Idle { .. } | Self::Dismissed => Err("it spoke while it had nothing to do"),
            Self::Leaving { .. } => Err("it spoke after it had taken its leave"),
        }
    }

    /// Whether it has said hello and works for somebody: it is to beat, and can be spoken to. One that has taken its
    /// leave does neither.
    pub(super) fn is_watched(&self) -> bool {
        match self {
            Self::SettingUp(_) | Self::Failed(_) | Self::Working | Self::Dismissed => true,
            Self::Greeting(_) | Self::Idle { .. } | Self::Leaving { .. } => false,
        }
    }

    /// Whether setting up, or saying hello, is what is waited for.
    pub(super) fn is_early(&self) -> bool {
        matches!(
            self,
            Self::Greeting(_) | Self::SettingUp(_) | Self::Failed(_)
        )
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Greeting(hello) => Some(hello.due()),
            Self::SettingUp(wait) | Self::Failed(wait) | Self::Leaving { wait, .. } => wait.due,
            Self::Idle { until, .. } => *until,
            Self::Working | Self::Dismissed => None,
        }
    }

    /// What the worker has not done in its time, now that this has come. `moved` is when the connection was last seen to
    /// move something long: the time to be set up begins when all of the assignment is there.
    pub(super) fn overdue(
        &mut self,
        now: Instant,
        limits: PhaseLimits,
        moved: Option<Instant>,
    ) -> Option<Overdue> {
        match self {
            Self::SettingUp(wait) => {
                let later = moved.and_then(|then| then.checked_add(limits.setup));
                if let Some(later) = later.filter(|later| *later > now) {
                    wait.due = Some(later);
                    return None;
                }
                wait.is_over(now, limits.setup).then_some(Overdue::Setup)
            }
            Self::Failed(wait) | Self::Leaving { wait, .. } => {
                wait.is_over(now, limits.leave).then_some(Overdue::Leave)
            }
            Self::Greeting(_) | Self::Working | Self::Idle { .. } | Self::Dismissed => None,
        }
    }

    /// Why a worker that ends in this phase did not get as far as being set up; `None` if it did.
    pub(super) fn failure(&self, death: &Death) -> Option<WorkerFailure> {
        let death = || death.clone();
        match self {
            Self::Greeting(_) => Some(WorkerFailure::NoHello { death: death() }),
            Self::SettingUp(_)
            | Self::Failed(_)
            | Self::Leaving {
                was_ready: false, ..
            } => Some(WorkerFailure::DiedInSetup { death: death() }),
            Self::Working
            | Self::Idle { .. }
            | Self::Dismissed
            | Self::Leaving {
                was_ready: true, ..
            } => None,
        }
    }
}

#[cfg(test)]
mod tests;
