//! What a worker says, and what each of its messages changes.

use mt_ipc::{RecvError, accept};
use mt_proto::{Frame, FromWorker, Parsed, Welcome};
use tokio::time::Instant;

use super::{HANG_UP_GRACE, Session};
use crate::supervision::{
    death::DeathCause, phase::Phase, session_event::SessionEvent, watch::Health,
    worker_failure::WorkerFailure,
};

impl Session {
    /// Takes in what came; false when nothing more can come.
    pub(super) async fn on_received(&mut self, frame: Result<Option<Frame>, RecvError>) -> bool {
        match frame {
            Ok(Some(frame)) => self.on_frame(frame).await,
            Ok(None) | Err(RecvError::Cut | RecvError::Io(_)) => {
                // After a goodbye the exit's grace is the owner's.
                if !matches!(self.phase, Phase::Leaving { .. }) {
                    self.end_within(HANG_UP_GRACE, DeathCause::HungUp);
                }
                false
            }
            Err(RecvError::Decode(error)) => self.broke_protocol(&error.to_string()),
            Err(other) => self.broke_protocol(&other.to_string()),
        }
    }

    pub(super) async fn on_frame(&mut self, frame: Frame) -> bool {
        if self.watch.heard() {
            self.tell(SessionEvent::Health(Health::Well)).await;
        }
        match FromWorker::from_frame(frame) {
            Ok(first) if matches!(self.phase, Phase::Greeting(_)) => self.greet(first).await,
            Ok(Parsed::Message(message)) => self.on_message(message).await,
            Ok(Parsed::Role(frame)) => self.on_role_frame(frame).await,
            Err(error) => self.broke_protocol(&error.to_string()),
        }
    }

    async fn on_role_frame(&mut self, frame: Frame) -> bool {
        let Some(lease) = &self.lease else {
            return self.broke_protocol("it spoke while it had nothing to do");
        };
        if self.phase.is_early() {
            return self.broke_protocol("it spoke before it was ready");
        }
        lease.tell(SessionEvent::Frame(frame)).await;
        true
    }

    async fn on_message(&mut self, message: FromWorker) -> bool {
        match (message, &self.phase) {
            (FromWorker::Hello(_), _) => self.broke_protocol("it said hello twice"),
            (FromWorker::Ready, Phase::SettingUp { .. }) => {
                self.phase = Phase::Working;
                self.tell(SessionEvent::Ready).await;
                true
            }
            (FromWorker::Ready, _) => self.broke_protocol("it was ready twice"),
            (FromWorker::SetupFailed(failure), Phase::SettingUp { .. }) => {
                let (step, message) = (failure.step, failure.message);
                self.failure = Some(WorkerFailure::Setup { step, message });
                // Its leave follows.
                self.phase = Phase::SettingUp {
                    due: None,
                    extended: true,
                };
                true
            }
            (FromWorker::SetupFailed(_), _) => self.broke_protocol("its setup failed too late"),
            (FromWorker::Beat(beat), _) => {
                self.watch.on_beat(beat);
                true
            }
            (FromWorker::Trace { events, dropped }, _) => {
                self.tell(SessionEvent::Trace { events, dropped }).await;
                true
            }
            (FromWorker::Rested, _) => self.park().await,
            (FromWorker::Bye, phase) => {
                let was_ready = !phase.is_early();
                self.phase = Phase::Leaving { was_ready };
                true
            }
        }
    }

    async fn greet(&mut self, first: Parsed<FromWorker>) -> bool {
        let Some(lease) = &self.lease else {
            return false;
        };
        let welcome = Welcome {
            worker: lease.worker,
            beat_interval: lease.spec.liveness.interval,
        };
        if let Err(error) = accept(&self.sender, first, lease.spec.fingerprint, welcome) {
            // The refusal is on its way; a worker that gets it exits by itself.
            self.sender.close();
            self.failure.get_or_insert(WorkerFailure::Handshake(error));
            return true;
        }
        self.assign().await;
        true
    }

    /// The worker has done all it had to for its owner: it waits for the next one.
    async fn park(&mut self) -> bool {
        let (Some(lease), Some(slot)) = (self.lease.take(), &self.slot) else {
            return self.broke_protocol("it rests without having been told to");
        };
        // Before the owner knows, so that the next one finds it.
        match slot.0.park(&lease.spec) {
            Some(wait) => {
                let until = Instant::now().checked_add(wait.idle);
                self.phase = Phase::Idle { until, wait };
            }
            None => self.dismiss(),
        }
        lease.tell(SessionEvent::Released).await;
        true
    }

    fn broke_protocol(&mut self, what: &str) -> bool {
        self.end(DeathCause::BrokeProtocol(what.to_owned()));
        false
    }
}
