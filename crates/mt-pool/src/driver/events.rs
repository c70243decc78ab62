//! From what happens to workers to the dispatch machine, and to those who look on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mt_proto::{ContextStep, ExitReport, Frame, FromExecutor, Notice, TraceEvents, WorkerId};

use super::driver::Driver;
use crate::{
    dispatch::Event,
    events::PoolEvent,
    stats::Happened,
    supervision::{Death, DeathCause, Health, SessionEvent, WorkerEnd, WorkerFailure},
};

impl Driver {
    pub(super) fn on_session(&mut self, id: WorkerId, event: SessionEvent) {
        let worker = id.0;
        match event {
            SessionEvent::Started { pid } => {
                self.workers.started(id, pid);
                self.record(PoolEvent::WorkerStarted { worker, pid });
            }
            SessionEvent::Reused { pid, record } => {
                self.workers.started(id, pid);
                self.record(PoolEvent::WorkerReused { worker, pid });
                self.dispatch(Event::Used(id, record));
            }
            SessionEvent::Slow { waited } => self.on_slow(id, waited),
            SessionEvent::Greeted { sender, progress } => {
                self.record(Happened::Greeted(id, progress.clone()));
                self.workers.greeted(id, sender, progress);
            }
            SessionEvent::Ready => {
                self.record(PoolEvent::WorkerReady { worker });
                self.dispatch(Event::Ready(id));
            }
            SessionEvent::Frame(frame) => self.on_frame(id, frame),
            SessionEvent::Trace { events, dropped } => self.on_trace(id, events, dropped),
            SessionEvent::Health(health) => self.on_health(id, health),
            SessionEvent::Released => self.on_released(id),
            SessionEvent::Ended(end) => self.on_ended(id, end),
        }
    }

    /// Tells of a process that has not said hello yet.
    fn on_slow(&mut self, worker: WorkerId, waited: Duration) {
        let (worker, Some(pid)) = (worker.0, self.workers.pid(worker)) else {
            return;
        };
        self.relay.tell(move || {
            tracing::warn!(worker, pid, ?waited, "a worker process has not said hello yet; is it slow to start, or does its `main` not call `init()` first?");
        });
        self.record(PoolEvent::WorkerSlow {
            worker,
            pid,
            waited,
        });
    }

    fn on_frame(&mut self, worker: WorkerId, frame: Frame) {
        if self.workers.is_broken(worker) {
            return;
        }
        match FromExecutor::from_frame(frame) {
            Ok(FromExecutor::Results(results)) => {
                self.record(Happened::Finished(worker, results.count));
                self.dispatch(Event::Results(worker, results));
            }
            Ok(FromExecutor::Notice(notice)) => self.on_notice(worker, notice),
            Ok(FromExecutor::Exit(report)) => self.on_exit_report(worker, report),
            Err(error) => {
                let cause = DeathCause::BrokeProtocol(error.to_string());
                self.workers.end(worker, cause);
            }
        }
    }

    fn on_notice(&mut self, worker: WorkerId, notice: Notice) {
        let worker = worker.0;
        match notice {
            Notice::Context {
                step: ContextStep::Open,
                message,
            } => self.record(PoolEvent::ContextOpenFailed { worker, message }),
            Notice::Context {
                step: ContextStep::Close,
                message,
            } => {
                let said = message.clone();
                self.relay.tell(move || {
                    tracing::warn!(worker, message = said, "closing a context failed");
                });
                self.record(PoolEvent::ContextCloseFailed { worker, message });
            }
            Notice::Slowest(items) => {
                let items = items.into_iter().map(|(index, time)| (index.0, time));
                self.record(Happened::Slowest(items.collect()));
            }
            Notice::ContextOpened => self.record(PoolEvent::ContextOpened { worker }),
            Notice::ContextClosed => self.record(PoolEvent::ContextClosed { worker }),
            _ => {}
        }
    }

    fn on_exit_report(&mut self, worker: WorkerId, report: ExitReport) {
        match report {
            ExitReport::Returned(value) => self.collected.keep(value),
            ExitReport::Failed(message) => {
                let (worker, said) = (worker.0, message.clone());
                self.relay.tell(move || {
                    tracing::warn!(worker, message = said, "the exit hook failed");
                });
                self.record(PoolEvent::ExitHookFailed { worker, message });
            }
        }
    }

    /// Tells what was found; the session has acted on it.
    fn on_health(&mut self, worker: WorkerId, health: Health) {
        let (worker, Some(pid)) = (worker.0, self.workers.pid(worker)) else {
            return;
        };
        match health {
            Health::Well => {}
            Health::Stopped => {
                self.relay
                    .tell(move || tracing::warn!(worker, pid, "a worker is stopped"));
                self.record(PoolEvent::WorkerStopped { worker, pid });
            }
            Health::Dying => self.relay.tell(move || {
                tracing::warn!(worker, pid, "a worker is dying, which takes its time");
            }),
            Health::Starved => self.relay.tell(move || {
                tracing::warn!(
                    worker,
                    pid,
                    "a worker waits for a processor; others have all of them"
                );
            }),
            Health::Frozen => {
                self.relay
                    .tell(move || tracing::warn!(worker, pid, "a worker gives no sign of life"));
                self.record(PoolEvent::WorkerFrozen { worker, pid });
            }
            Health::Blocked { since } => {
                self.relay.tell(move || {
                    tracing::warn!(worker, pid, ?since, "a worker gets no further");
                });
                self.record(PoolEvent::WorkerBlocked { worker, pid, since });
            }
        }
    }

    fn on_ended(&mut self, worker: WorkerId, mut end: WorkerEnd) {
        let pid = self.workers.ended(worker);
        if let Some(failure) = end.failure.take() {
            // What it was killed for is known only now.
            let failure = end.failure.insert(failure.by(&end.death));
            self.report_failure(worker, failure, &end.death);
        }
        if end.death.cause == DeathCause::CloseBlocked {
            let (worker, message) = (worker.0, end.death.cause.to_string());
            self.record(PoolEvent::ContextCloseFailed { worker, message });
        }
        self.report_end(worker, pid, &end);
        self.record(Happened::Ended(worker));
        self.dispatch(Event::Gone(worker, end));
    }

    /// A shared worker waits for another run. For this one it is gone.
    fn on_released(&mut self, worker: WorkerId) {
        if let Some(pid) = self.workers.ended(worker) {
            let worker = worker.0;
            self.record(PoolEvent::WorkerReleased { worker, pid });
        }
        self.dispatch(Event::Gone(worker, WorkerEnd::stopped(None)));
    }

    fn report_failure(&mut self, worker: WorkerId, cause: &Arc<WorkerFailure>, death: &Death) {
        let unfinished = matches!(
            **cause,
            WorkerFailure::NoHello { .. } | WorkerFailure::DiedInSetup { .. }
        );
        // One that was still on its way when it was no longer needed has not failed.
        if unfinished && death.cause == DeathCause::Stopped {
            return;
        }
        let (worker, why) = (worker.0, Arc::clone(cause));
        self.relay
            .tell(move || tracing::warn!(worker, cause = %why, "no worker"));
        let cause = Arc::clone(cause);
        self.record(PoolEvent::WorkerFailed { worker, cause });
    }

    fn report_end(&mut self, worker: WorkerId, pid: Option<u32>, end: &WorkerEnd) {
        let Some(pid) = pid else { return };
        let (worker, death) = (worker.0, end.death.clone());
        let in_peace = end.said_bye && death.cause == DeathCause::Itself;
        if in_peace || death.cause == DeathCause::Stopped {
            let exit = death.exit;
            self.record(PoolEvent::WorkerLeft { worker, pid, exit });
            return;
        }
        let how = death.clone();
        self.relay.tell(move || {
            tracing::warn!(worker, pid, death = %how.brief(), "a worker died");
        });
        self.record(PoolEvent::WorkerDied {
            worker,
            pid,
            death,
            noticed: Instant::now(),
        });
    }

    fn on_trace(&mut self, worker: WorkerId, events: TraceEvents, dropped: u64) {
        let pid = self.workers.pid(worker).unwrap_or(0);
        let unseen = self.relay.emit((worker.0, pid), events, dropped);
        self.record(Happened::Unseen(unseen));
    }

    /// Takes note of what has happened: for the figures, and for those who look on.
    pub(super) fn record(&self, happened: impl Into<Happened>) {
        let happened = happened.into();
        self.stats.record(&happened);
        if let Happened::Event(event) = happened {
            self.audience.tell(event);
        }
    }
}
