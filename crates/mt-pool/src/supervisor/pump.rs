//! One worker's life: start, handshake, traffic, end. Events go to the supervisor in the order they
//! happened, the last of them when the process is reaped.
//!
//! Loop: one task a worker.

use std::{sync::Arc, time::Duration};

use mt_ipc::{
    ChildProcess, FrameReceiver, FrameSender, Progress, QueueLimits, RecvError, Spawned,
    WorkerCommand, accept,
};
use mt_proto::{Fingerprint, FromWorker, Hello, Limits, Setup, ToWorker, Welcome, WorkerId};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep, sleep_until},
};

use super::patience::Patience;
use crate::error::{Death, DeathCause, LastWords, PoolError};

/// How long a worker may live on after its connection has ended. A process that dies closes its
/// descriptors some moments before its exit can be seen, and how it ended is worth waiting for.
const HANG_UP_GRACE: Duration = Duration::from_secs(1);

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
    pub(crate) before_ready: Option<PoolError>,
}

/// The supervisor's means to end a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Killer {
    asked: Arc<Notify>,
    asked_gently: Arc<Notify>,
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
}

/// Brings a worker up and sees it through to its end.
pub(crate) async fn pump(
    worker: WorkerId,
    recipe: Arc<Recipe>,
    killer: Killer,
    events: mpsc::Sender<(WorkerId, CrewEvent)>,
) {
    let teller = Teller { worker, events };
    let ending = match mt_ipc::spawn(recipe.command.clone()).await {
        Ok(spawned) => attend(spawned, &recipe, &killer, &teller).await,
        Err(error) => Ending {
            started: 0,
            death: Death::new(mt_ipc::Exit::default(), DeathCause::Itself),
            said_bye: false,
            before_ready: Some(PoolError::Spawn(error)),
        },
    };
    teller.tell(CrewEvent::Ended(ending)).await;
}

struct Teller {
    worker: WorkerId,
    events: mpsc::Sender<(WorkerId, CrewEvent)>,
}

impl Teller {
    /// A supervisor that is gone does not listen; the worker is killed with it.
    async fn tell(&self, event: CrewEvent) {
        let _ = self.events.send((self.worker, event)).await;
    }
}

/// Where a worker is in its life, as far as its pump cares.
struct Life<'a> {
    recipe: &'a Recipe,
    teller: &'a Teller,
    sender: FrameSender,
    process: ChildProcess,
    greeted: bool,
    ready: bool,
    said_bye: bool,
    hung_up: bool,
    /// When it is killed if it is still there.
    last_moment: Option<Instant>,
    /// By when it has to be set up.
    setup_due: Option<Instant>,
    progress: &'a Progress,
    /// Why it is being killed, if it is.
    cause: Option<DeathCause>,
    failure: Option<PoolError>,
}

async fn attend(spawned: Spawned, recipe: &Recipe, killer: &Killer, teller: &Teller) -> Ending {
    let Spawned {
        process,
        connection,
        progress,
        stderr,
        ..
    } = spawned;
    let (sender, mut receiver, writer) = connection.open(recipe.limits, recipe.queue);
    teller.tell(CrewEvent::Started { pid: process.id() }).await;
    let mut life = Life {
        recipe,
        teller,
        sender,
        process,
        greeted: false,
        ready: false,
        said_bye: false,
        hung_up: false,
        last_moment: None,
        setup_due: None,
        progress: &progress,
        cause: None,
        failure: None,
    };
    let writer = writer.run();
    tokio::pin!(writer);
    let mut patience = Patience::new();
    let mut writing = true;
    let mut reading = true;
    let exit = loop {
        tokio::select! {
            // All arms are cancel-safe: `recv` keeps what it has read, `wait` can be called again,
            // and the writer is not dropped.
            frame = receiver.recv(), if reading => {
                reading = life.on_frame(frame).await;
            }
            exit = life.process.wait() => break exit,
            () = sleep(HANG_UP_GRACE), if life.hung_up => {
                life.hung_up = false;
                life.end(DeathCause::HungUp);
            }
            () = killer.asked.notified() => life.end(DeathCause::Stopped),
            () = killer.asked_gently.notified() => life.terminate(),
            () = until(life.last_moment), if life.last_moment.is_some() => {
                life.last_moment = None;
                life.end(DeathCause::Stopped);
            }
            () = until(life.setup_due), if life.setup_due.is_some() => life.setup_overran(),
            () = patience.look_due(), if !life.greeted && !life.hung_up => {
                if let Some(waited) = patience.look(life.process.id()) {
                    life.failure.get_or_insert(PoolError::Silent { waited });
                    life.end(DeathCause::Stopped);
                }
            }
            // A broken pipe: its exit, or its end of the connection, follows.
            _ = &mut writer, if writing => writing = false,
        }
    };
    if reading {
        life.drain(&mut receiver).await;
    }
    let last_words = match stderr {
        Some(stderr) => LastWords::from(stderr.finish().await),
        None => LastWords::default(),
    };
    life.into_ending(exit, last_words)
}

/// Waits until then. Cancel-safe.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

type Received = Result<Option<mt_proto::Frame>, RecvError>;

impl Life<'_> {
    /// Takes in what came; false when nothing more can come.
    async fn on_frame(&mut self, frame: Received) -> bool {
        let message = match frame {
            Ok(None) => {
                self.hung_up = !self.said_bye;
                return false;
            }
            Err(RecvError::Cut | RecvError::Io(_)) => {
                self.hung_up = true;
                return false;
            }
            Ok(Some(frame)) => FromWorker::from_frame(frame),
            Err(RecvError::Decode(error)) => Err(error),
            Err(other) => return self.broke_protocol(other.to_string()),
        };
        match message {
            Ok(message) => self.on_message(message).await,
            Err(error) => self.broke_protocol(error.to_string()),
        }
    }

    async fn on_message(&mut self, message: FromWorker) -> bool {
        if !self.greeted {
            return self.greet(message).await;
        }
        match &message {
            FromWorker::Hello(_) => return self.broke_protocol("it said hello twice".into()),
            FromWorker::Ready if self.ready => {
                return self.broke_protocol("it was ready twice".into());
            }
            FromWorker::Ready => {
                self.ready = true;
                self.setup_due = None;
            }
            FromWorker::SetupFailed(failure) => {
                let (step, message) = (failure.step, failure.message.clone());
                self.failure = Some(PoolError::Setup { step, message });
                self.setup_due = None;
            }
            FromWorker::Bye => self.said_bye = true,
            FromWorker::Results(_)
            | FromWorker::Beat(_)
            | FromWorker::Notice(_)
            | FromWorker::Exit(_) => {}
        }
        self.teller.tell(CrewEvent::Said(message)).await;
        true
    }

    async fn greet(&mut self, first: FromWorker) -> bool {
        let welcome = Welcome {
            worker: self.teller.worker,
            beat_interval: self.recipe.beat_interval,
        };
        match accept(&self.sender, first, self.recipe.fingerprint, welcome) {
            Ok(Hello { .. }) => {}
            Err(error) => {
                // The refusal is on its way; a worker that gets it exits by itself.
                self.sender.close();
                self.failure.get_or_insert(PoolError::Handshake(error));
                return true;
            }
        }
        self.greeted = true;
        self.setup_due = Instant::now().checked_add(self.recipe.init_deadline);
        // An empty queue has room for one frame.
        let _ = self
            .sender
            .try_send(ToWorker::Setup(self.recipe.setup.clone()).into_frame());
        self.teller
            .tell(CrewEvent::Greeted {
                sender: self.sender.clone(),
                progress: self.progress.clone(),
            })
            .await;
        true
    }

    fn broke_protocol(&mut self, what: String) -> bool {
        self.end(DeathCause::BrokeProtocol(what));
        false
    }

    /// Asks the worker to end, and gives it a moment.
    fn terminate(&mut self) {
        self.process.terminate();
        self.last_moment = Instant::now().checked_add(self.recipe.kill_grace);
    }

    /// Its init takes too long.
    fn setup_overran(&mut self) {
        self.setup_due = None;
        let limit = self.recipe.init_deadline;
        self.failure
            .get_or_insert(PoolError::SetupTimedOut { limit });
        self.end(DeathCause::Stopped);
    }

    /// Kills the worker. The first cause stands.
    fn end(&mut self, cause: DeathCause) {
        self.cause.get_or_insert(cause);
        self.process.kill();
    }

    /// What a dead worker has left in the connection counts; what it was in the middle of does not.
    async fn drain(&mut self, receiver: &mut FrameReceiver) {
        while let Ok(Some(frame)) = receiver.recv_now() {
            let Ok(message) = FromWorker::from_frame(frame) else {
                return;
            };
            if !self.on_message(message).await {
                return;
            }
        }
    }

    fn into_ending(mut self, exit: mt_ipc::Exit, last_words: LastWords) -> Ending {
        let mut death = Death::new(exit, self.cause.take().unwrap_or(DeathCause::Itself));
        death.last_words = last_words;
        let before_ready = match (self.failure.take(), self.greeted, self.ready) {
            (Some(failure), ..) => Some(failure),
            (None, false, _) => Some(PoolError::NoHello {
                death: death.clone(),
            }),
            (None, true, false) => Some(PoolError::DiedInSetup {
                death: death.clone(),
            }),
            (None, true, true) => None,
        };
        Ending {
            started: self.progress.started(),
            death,
            said_bye: self.said_bye,
            before_ready,
        }
    }
}
