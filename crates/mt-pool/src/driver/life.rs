//! Where a worker is in its life, and what each of its messages changes.

use mt_ipc::{ChildProcess, FrameReceiver, FrameSender, Progress, RecvError, accept};
use mt_proto::{Beat, FromWorker, Hello, ToWorker, Welcome, WorkerId};
use tokio::{sync::mpsc, time::Instant};

use super::{
    lot::{Place, Wait},
    post::{CrewEvent, Ending, HANG_UP_GRACE, Killer, Post},
    watch::LATE,
};
use crate::supervision::{Death, DeathCause, LastWords, WorkerFailure};

/// Where a worker is in its life, as far as its pump cares.
pub(super) struct Life<'a> {
    /// `None` while it waits for the next.
    post: Option<Post>,
    pub(super) place: Option<Place>,
    pub(super) wait: Option<Wait>,
    pub(super) sender: FrameSender,
    pub(super) process: ChildProcess,
    pub(super) greeted: bool,
    pub(super) ready: bool,
    pub(super) said_bye: bool,
    pub(super) hung_up: bool,
    /// When it is killed if it is still there.
    pub(super) last_moment: Option<Instant>,
    /// By when it has to be set up.
    pub(super) setup_due: Option<Instant>,
    /// Whether it was given more time for it.
    forgiven: bool,
    /// Since when it may go if nobody needs it.
    pub(super) idle_due: Option<Instant>,
    pub(super) progress: &'a Progress,
    /// Why it is being killed, if it is.
    pub(super) cause: Option<DeathCause>,
    pub(super) failure: Option<WorkerFailure>,
}

type Received = Result<Option<mt_proto::Frame>, RecvError>;

impl<'a> Life<'a> {
    pub(super) fn new(
        post: Post,
        place: Option<Place>,
        (sender, process): (FrameSender, ChildProcess),
        progress: &'a Progress,
    ) -> Self {
        Self {
            post: Some(post),
            place,
            wait: None,
            sender,
            process,
            greeted: false,
            ready: false,
            said_bye: false,
            hung_up: false,
            last_moment: None,
            setup_due: None,
            forgiven: false,
            idle_due: None,
            progress,
            cause: None,
            failure: None,
        }
    }

    /// Its supervisor's ear, if it might be gone before the worker.
    pub(super) fn listener(&self) -> Option<mpsc::Sender<(WorkerId, CrewEvent)>> {
        self.place.as_ref()?;
        Some(self.post.as_ref()?.events.clone())
    }

    /// What its supervisor ends it with; one that nobody has while it has none.
    pub(super) fn killer(&self) -> Killer {
        let post = self.post.as_ref();
        post.map_or_else(Killer::default, |post| post.killer.clone())
    }

    /// Takes in what came; false when nothing more can come.
    pub(super) async fn on_frame(&mut self, frame: Received) -> bool {
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
                self.failure = Some(WorkerFailure::Setup { step, message });
                self.setup_due = None;
            }
            FromWorker::Bye => self.said_bye = true,
            FromWorker::Rested => return self.park().await,
            FromWorker::Results(_)
            | FromWorker::Beat(_)
            | FromWorker::Notice(_)
            | FromWorker::Exit(_) => {}
        }
        match &self.post {
            Some(post) => post.tell(CrewEvent::Said(message)).await,
            // What it had still on its way, or its leave.
            None if matches!(message, FromWorker::Beat(_) | FromWorker::Bye) => {}
            None => return self.broke_protocol("it spoke while it had nothing to do".into()),
        }
        true
    }

    async fn greet(&mut self, first: FromWorker) -> bool {
        let Some(post) = &self.post else { return false };
        let welcome = Welcome {
            worker: post.worker,
            beat_interval: post.recipe.beat_interval,
        };
        match accept(&self.sender, first, post.recipe.fingerprint, welcome) {
            Ok(Hello { .. }) => {}
            Err(error) => {
                // The refusal is on its way; a worker that gets it exits by itself.
                self.sender.close();
                self.failure.get_or_insert(WorkerFailure::Handshake(error));
                return true;
            }
        }
        self.greeted = true;
        self.set_up().await;
        true
    }

    /// Sends the setup of its post.
    async fn set_up(&mut self) {
        let Some(post) = &self.post else { return };
        self.setup_due = Instant::now().checked_add(post.recipe.init_deadline);
        self.forgiven = false;
        // An empty queue has room for one frame.
        let setup = ToWorker::Setup(post.recipe.setup.clone());
        let _ = self.sender.try_send(setup.into_frame());
        let (sender, progress) = (self.sender.clone(), self.progress.clone());
        post.tell(CrewEvent::Greeted { sender, progress }).await;
    }

    /// It has done all it had to for its run: it waits for the next one.
    async fn park(&mut self) -> bool {
        let (Some(post), Some(place)) = (self.post.take(), &self.place) else {
            return self.broke_protocol("it rests without having been told to".into());
        };
        self.ready = false;
        // Before the run knows, so that the next one finds it.
        self.wait = place.lot().park(&post.recipe);
        match &self.wait {
            Some(wait) => self.idle_due = Instant::now().checked_add(wait.idle),
            None => self.dismiss(),
        }
        post.tell(CrewEvent::Said(FromWorker::Rested)).await;
        true
    }

    /// Somebody has use for it, or nobody ever will.
    pub(super) async fn take_post(&mut self, post: Option<Post>) {
        self.wait = None;
        self.idle_due = None;
        let Some(post) = post else {
            return self.dismiss();
        };
        let pid = self.process.id();
        post.tell(CrewEvent::Reused { pid }).await;
        self.post = Some(post);
        self.set_up().await;
    }

    pub(super) fn on_idle(&mut self) {
        self.idle_due = None;
        let (Some(place), Some(wait)) = (&self.place, &self.wait) else {
            return;
        };
        if place.lot().withdraw(wait) {
            self.wait = None;
            self.dismiss();
        }
    }

    /// Tells it to go; it has nothing to finish.
    fn dismiss(&mut self) {
        let _ = self.sender.try_send(ToWorker::Beat(Beat::Die).into_frame());
        self.last_moment = Instant::now().checked_add(HANG_UP_GRACE);
    }

    fn broke_protocol(&mut self, what: String) -> bool {
        self.end(DeathCause::BrokeProtocol(what));
        false
    }

    /// Asks the worker to end, and gives it a moment.
    pub(super) fn terminate(&mut self) {
        self.process.terminate();
        let grace = self.post.as_ref().map(|post| post.recipe.kill_grace);
        self.last_moment = Instant::now().checked_add(grace.unwrap_or_default());
    }

    /// Its init takes too long.
    pub(super) fn setup_overran(&mut self) {
        let due = self.setup_due.take();
        let limit = self.post.as_ref().map(|post| post.recipe.init_deadline);
        let limit = limit.unwrap_or_default();
        let late = due.map(|due| due.elapsed()).filter(|&late| late > LATE);
        if let Some(late) = late.filter(|_| !self.forgiven) {
            // This process was stopped, or the machine was elsewhere; it may have been set up long ago.
            self.forgiven = true;
            self.setup_due = Some(Instant::now() + late.min(limit));
            return;
        }
        self.failure
            .get_or_insert(WorkerFailure::SetupTimedOut { limit });
        self.end(DeathCause::Stopped);
    }

    /// Kills the worker. The first cause stands.
    pub(super) fn end(&mut self, cause: DeathCause) {
        self.cause.get_or_insert(cause);
        self.process.kill();
    }

    /// What a dead worker has left in the connection counts; what it was in the middle of does not.
    pub(super) async fn drain(&mut self, receiver: &mut FrameReceiver) {
        while let Ok(Some(frame)) = receiver.recv_now() {
            let Ok(message) = FromWorker::from_frame(frame) else {
                return;
            };
            if !self.on_message(message).await {
                return;
            }
        }
    }

    /// It is gone. Returns the post that it was about to take.
    pub(super) async fn over(mut self, exit: mt_ipc::Exit, last_words: LastWords) -> Option<Post> {
        if let Some(post) = self.post.take() {
            let ending = self.into_ending(exit, last_words);
            post.tell(CrewEvent::Ended(ending)).await;
            return None;
        }
        self.wait.take()?.too_late()
    }

    fn into_ending(mut self, exit: mt_ipc::Exit, last_words: LastWords) -> Ending {
        let mut death = Death::new(exit, self.cause.take().unwrap_or(DeathCause::Itself));
        death.last_words = last_words;
        let before_ready = match (self.failure.take(), self.greeted, self.ready) {
            (Some(failure), ..) => Some(failure),
            (None, false, _) => Some(WorkerFailure::NoHello {
                death: death.clone(),
            }),
            (None, true, false) => Some(WorkerFailure::DiedInSetup {
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
