//! From what happens to bees' processes to the parent's machine, and to those who look on.

use std::time::Instant;

use mt_pool::supervision::{DeathCause, Health, SessionEvent, WorkerEnd};
use mt_proto::{Frame, FromBee, Kind, WorkerId, guarded, hive_messages};

use super::{command_queue::answer, driver::Driver};
use crate::{
    error::NoWorkers,
    machine::parent::{BeeEnd, BeeId, Event},
};

impl Driver {
    pub(super) fn on_session(&mut self, now: Instant, worker: WorkerId, event: SessionEvent) {
        let child = BeeId(worker.0);
        match event {
            SessionEvent::Started { pid } => {
                if let Some(handle) = self.handles.get_mut(&child) {
                    handle.pid = Some(pid);
                }
            }
            SessionEvent::Slow { waited } => {
                let bee = worker.0;
                self.relay.tell(move || {
                    tracing::warn!(bee, ?waited, "a worker bee's process has not said hello yet; is it slow to start, or does its `main` not call `init()` first?");
                });
            }
            SessionEvent::Frame(frame) => self.on_frame(now, child, frame),
            SessionEvent::Trace { events, dropped } => {
                let pid = self.handles.get(&child).and_then(|handle| handle.pid);
                let who = (worker.0, pid.unwrap_or(0));
                self.relay.emit(who, events, dropped);
            }
            SessionEvent::Health(health) => self.on_health(now, child, health),
            SessionEvent::Ready => self.parent.handle(now, Event::Made(child)),
            SessionEvent::Ended(end) => self.on_ended(now, child, end),
            _ => {}
        }
    }

    fn on_frame(&mut self, now: Instant, child: BeeId, frame: Frame) {
        let handle = self.handles.get(&child);
        let Some(handle) = handle.filter(|handle| !handle.control.is_broken()) else {
            return;
        };
        let broken = |what: String| handle.control.kill(DeathCause::BrokeProtocol(what));
        if frame.kind != Kind::Role {
            return broken(format!("{:?} is no message of a bee", frame.kind));
        }
        for message in hive_messages::<FromBee>(frame) {
            match message {
                Ok(message) => {
                    crate::log::logger_debug_msg(&message, "a bee says");
                    self.parent.handle(now, Event::Said(child, message));
                }
                Err(error) => return broken(error.to_string()),
            }
        }
    }

    /// Tells what was found; the session has acted on it.
    fn on_health(&mut self, now: Instant, child: BeeId, health: Health) {
        let Some(handle) = self.handles.get_mut(&child) else {
            return;
        };
        let before = std::mem::replace(&mut handle.health, health);
        let (bee, pid) = (child.0, handle.pid.unwrap_or(0));
        match health {
            Health::Stopped => {
                self.relay
                    .tell(move || tracing::warn!(bee, pid, "a worker bee is stopped"));
            }
            Health::Dying => {
                self.relay.tell(move || {
                    tracing::warn!(bee, pid, "a worker bee is dying, which takes its time");
                });
            }
            Health::Starved => self.relay.tell(move || {
                tracing::warn!(
                    bee,
                    pid,
                    "a worker bee waits for a processor; others have all of them"
                );
            }),
            Health::Frozen => {
                self.relay
                    .tell(move || tracing::warn!(bee, pid, "a worker bee gives no sign of life"));
            }
            Health::Blocked { since } => self.relay.tell(move || {
                tracing::warn!(bee, pid, ?since, "a task holds the thread of a worker bee");
            }),
            _ => {}
        }
        if health.is_silent() != before.is_silent() {
            let silent = Event::Silent(child, health.is_silent());
            self.parent.handle(now, silent);
        }
    }

    fn on_ended(&mut self, now: Instant, child: BeeId, end: WorkerEnd) {
        self.handles.remove(&child);
        self.workers.reap();
        let unmade = end.failure.map(|failure| Box::new((&*failure).into()));
        let why = match &unmade {
            Some(why) => NoWorkers::to_string(why),
            None => end.death.to_string(),
        };
        let bee = child.0;
        if self.parent.is_lost(child) {
            self.relay
                .tell(move || tracing::warn!(bee, why, "a worker bee is lost"));
        } else {
            let _ = guarded(|| tracing::debug!(bee, why, "a worker bee is gone"));
        }
        let end = BeeEnd {
            death: end.death,
            started: end.started,
            died_first: end.died_first,
            unmade,
        };
        self.parent.handle(now, Event::Gone(child, end));
        if let Some(reply_tx) = self.pending_exits.remove(&child) {
            answer(reply_tx, Some(child.0));
        }
    }
}
