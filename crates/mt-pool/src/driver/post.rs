//! What a worker is for one run: whom it works for, what it is told, and what becomes of it.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use mt_ipc::{FrameSender, Progress, QueueLimits, WorkerCommand};
use mt_proto::{Fingerprint, FromWorker, Limits, Setup, WorkerId};
use tokio::sync::{Notify, mpsc};

use super::lot::Seat;
use crate::supervision::{Death, DeathCause, WorkerFailure};

/// How long a worker may live on after its connection has ended. A process that dies closes its
/// descriptors some moments before its exit can be seen, and how it ended is worth waiting for.
pub(super) const HANG_UP_GRACE: Duration = Duration::from_secs(1);

/// What a pump needs to bring a worker up.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) command: WorkerCommand,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) beat_interval: Duration,
    /// How long setting up may take, the user's init included.
    pub(crate) init_deadline: Duration,
    /// How long a worker that is asked to end has before it is killed.
    pub(crate) kill_grace: Duration,
    pub(crate) setup: Setup,
    pub(crate) queue: QueueLimits,
    pub(crate) limits: Limits,
}

/// What happens to a worker.
#[derive(Debug)]
pub(crate) enum CrewEvent {
    /// Its process exists.
    Started { pid: u32 },
    /// A process that had waited for work has taken the post.
    Reused { pid: u32 },
    /// It has said hello and was sent its setup.
    Greeted {
        sender: FrameSender,
        progress: Progress,
    },
    /// It said something.
    Said(FromWorker),
    /// It is reaped, or never was. Nothing follows.
    Ended(Ending),
}

/// How a worker's life ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Items it had started.
    pub(crate) started: u64,
    /// How its process ended, and why.
    pub(crate) death: Death,
    /// Whether it had taken its leave.
    pub(crate) said_bye: bool,
    /// Set when it did not get as far as taking items.
    pub(crate) before_ready: Option<WorkerFailure>,
}

/// The supervisor's means to end a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Killer {
    pub(super) asked: Arc<Notify>,
    pub(super) asked_gently: Arc<Notify>,
}

impl Killer {
    /// Asks for the worker's end; its [`CrewEvent::Ended`] tells when it has come.
    pub(crate) fn kill(&self) {
        self.asked.notify_one();
    }

    /// Asks for the worker's end, and lets it know a moment before.
    pub(crate) fn terminate(&self) {
        self.asked_gently.notify_one();
    }

    /// Waits until its end is asked for. Cancel-safe.
    pub(super) async fn killed(&self) {
        self.asked.notified().await;
    }
}

/// Whom a worker works for, and how to reach whom.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) worker: WorkerId,
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) killer: Killer,
    pub(crate) events: mpsc::Sender<(WorkerId, CrewEvent)>,
    /// How many of the run's posts somebody has; for runs that share workers.
    pub(super) filled: Arc<AtomicUsize>,
    /// Held while somebody has this one.
    pub(super) seat: Option<Seat>,
}

impl Post {
    /// A supervisor that is gone does not listen.
    pub(super) async fn tell(&self, event: CrewEvent) {
        let _ = self.events.send((self.worker, event)).await;
    }

    /// Tells that it comes to nothing.
    pub(super) async fn vacant(self, failure: WorkerFailure) {
        let ending = Ending {
            started: 0,
            death: Death::new(mt_ipc::Exit::default(), DeathCause::Stopped),
            said_bye: false,
            before_ready: Some(failure),
        };
        self.tell(CrewEvent::Ended(ending)).await;
    }
}
