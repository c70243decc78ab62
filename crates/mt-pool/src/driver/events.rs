//! From workers events to the machines, and from their effects to the workers.

use std::{sync::Arc, time::Instant};

use mt_proto::{Beat, ContextStep, FromWorker, Notice, WorkerId};

use super::{
    driver::Supervisor,
    post::{CrewEvent, Ending},
};
use crate::{
    PoolEvent,
    dispatch::{Effect, Event, Gone, KillReason},
    supervision::{Death, DeathCause, WorkerFailure},
};

impl Supervisor {
    pub(super) fn on_crew(&mut self, worker: WorkerId, event: CrewEvent) {
        match event {
            CrewEvent::Started { pid } => self.on_started(worker, pid),
            CrewEvent::Reused { pid } => {
                self.workers.started(worker, pid);
                self.stats.has_pid(worker, pid);
                self.stats.update(|stats| stats.workers_reused += 1);
                self.tell(&PoolEvent::WorkerReused {
                    worker: worker.0,
                    pid,
                });
                self.dispatch(Event::Used(worker));
            }
            CrewEvent::Greeted { sender, progress } => {
                self.stats.greeted(worker, progress.clone());
                self.workers.greeted(worker, sender, progress);
                self.liveness.watch(worker);
            }
            CrewEvent::Said(message) => {
                self.liveness.heard(worker);
                self.on_said(worker, message);
            }
            CrewEvent::Ended(ending) => self.on_ended(worker, ending),
        }
    }

    fn on_started(&mut self, worker: WorkerId, pid: u32) {
        self.workers.started(worker, pid);
        self.stats.has_pid(worker, pid);
        self.stats.update(|stats| stats.workers_started += 1);
        self.tell(&PoolEvent::WorkerStarted {
            worker: worker.0,
            pid,
        });
    }

    fn on_said(&mut self, worker: WorkerId, message: FromWorker) {
        match message {
            FromWorker::Results(run) => {
                self.stats.finished(worker, run.count);
                self.dispatch(Event::Results(worker, run));
            }
            FromWorker::Ready => {
                self.stats.ready(worker);
                self.tell(&PoolEvent::WorkerReady { worker: worker.0 });
                self.dispatch(Event::Ready(worker));
            }
            FromWorker::Notice(notice) => self.on_notice(worker, notice),
            FromWorker::Exit(report) => self.on_exit_report(worker, report),
            FromWorker::Rested => self.on_rested(worker),
            FromWorker::Beat(beat) => self.liveness.on_beat(worker, beat),
            // Its pump has taken note of these.
            FromWorker::Hello(_) | FromWorker::SetupFailed(_) | FromWorker::Bye => {}
        }
    }

    fn on_notice(&mut self, worker: WorkerId, notice: Notice) {
        let worker = worker.0;
        match notice {
            Notice::Context {
                step: ContextStep::Open,
                message,
            } => self.tell(&PoolEvent::ContextOpenFailed { worker, message }),
            Notice::Context {
                step: ContextStep::Close,
                message,
            } => {
                let said = message.clone();
                self.trace(move || {
                    tracing::warn!(worker, message = said, "closing a context failed");
                });
                self.stats.update(|stats| stats.context_close_errors += 1);
                self.tell(&PoolEvent::ContextCloseFailed { worker, message });
            }
            Notice::Slowest(items) => {
                let items = items.into_iter().map(|(index, time)| (index.0, time));
                self.stats.slowest(items);
            }
            Notice::Trace { events, dropped } => self.on_trace(worker, events, dropped),
            Notice::ContextOpened => self.tell(&PoolEvent::ContextOpened { worker }),
            Notice::ContextClosed => self.tell(&PoolEvent::ContextClosed { worker }),
            _ => {}
        }
    }

    fn on_ended(&mut self, worker: WorkerId, mut ending: Ending) {
        self.liveness.forget(worker);
        let (pid, condemned) = self.workers.ended(worker);
        let by_us = matches!(ending.death.cause, DeathCause::Stopped | DeathCause::Itself);
        if let Some(cause) = condemned.filter(|_| by_us) {
            ending.death.cause = cause;
        }
        if self.watch.was_out_of_memory(&ending.death) {
            ending.death.cause = DeathCause::OutOfMemory;
        }
        let before_ready = ending.before_ready.take();
        // What it was killed for is known only now.
        let before_ready = before_ready.map(|cause| Arc::new(cause.by(&ending.death)));
        if let Some(cause) = &before_ready {
            self.report_failure(worker, cause, &ending.death);
        }
        self.report_end(worker, pid, &ending);
        self.stats.ended(worker, ending.started);
        let Ending { started, death, .. } = ending;
        self.dispatch(Event::Gone(
            worker,
            Gone {
                started,
                death,
                before_ready,
            },
        ));
    }

    /// A shared worker waits for another run. For this one it is gone.
    fn on_rested(&mut self, worker: WorkerId) {
        self.liveness.forget(worker);
        self.stats.released(worker);
        let (pid, _) = self.workers.ended(worker);
        let worker_number = worker.0;
        if let Some(pid) = pid {
            self.tell(&PoolEvent::WorkerReleased {
                worker: worker_number,
                pid,
            });
        }
        let death = Death::new(mt_ipc::Exit::default(), DeathCause::Stopped);
        let gone = Gone {
            started: 0,
            death,
            before_ready: None,
        };
        self.dispatch(Event::Gone(worker, gone));
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
        let why = Arc::clone(cause);
        self.trace(move || tracing::warn!(worker = worker.0, cause = %why, "no worker"));
        self.tell(&PoolEvent::WorkerFailed {
            worker: worker.0,
            cause: Arc::clone(cause),
        });
    }

    fn report_end(&mut self, worker: WorkerId, pid: Option<u32>, ending: &Ending) {
        let Some(pid) = pid else { return };
        let (worker, death) = (worker.0, ending.death.clone());
        if ending.said_bye || death.cause == DeathCause::Stopped {
            self.tell(&PoolEvent::WorkerLeft {
                worker,
                pid,
                exit: death.exit,
            });
            return;
        }
        let how = death.clone();
        self.trace(move || {
            tracing::warn!(worker, pid, death = %how.brief(), "a worker died");
        });
        self.stats.update(|stats| {
            stats.workers_died += 1;
            stats.deaths.count(&death.cause);
        });
        self.tell(&PoolEvent::WorkerDied {
            worker,
            pid,
            death,
            noticed: Instant::now(),
        });
    }

    /// Carries out what the dispatch machine asks for.
    pub(super) fn act(&mut self) {
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Spawn(worker) => {
                    self.stats.spawned(worker);
                    self.workers.start(worker);
                }
                Effect::Send(worker, run, patience) => {
                    self.tell(&PoolEvent::ItemsGiven {
                        worker: worker.0,
                        first: run.first.0,
                        count: run.count,
                    });
                    self.stats.given(worker, run.count);
                    self.workers.send(worker, run, patience);
                }
                Effect::Retire(worker) => {
                    self.stats.leaving(worker);
                    self.workers.beat(worker, Beat::Die);
                }
                Effect::Release(worker) => {
                    self.stats.leaving(worker);
                    self.workers.release(worker);
                }
                Effect::Kill(worker, reason) => {
                    self.stats.leaving(worker);
                    match reason {
                        KillReason::Overran(_) => {
                            self.workers.terminate(worker, DeathCause::Overran)
                        }
                        reason => self.workers.kill(worker, cause_of(reason)),
                    }
                }
                Effect::Deliver(delivery) => {
                    self.exchange.on_delivered(delivery.len_bytes());
                    // The consumer's credit is the bound of this queue, so there is room, unless
                    // the consumer is gone.
                    let _ = self.output.try_send(delivery);
                }
                Effect::Finished => self.finished = true,
            }
        }
    }
}

fn cause_of(reason: KillReason) -> DeathCause {
    match reason {
        KillReason::Results(error) => DeathCause::BrokeProtocol(error.to_string()),
        KillReason::Overran(_) => DeathCause::Overran,
        KillReason::Memory { rss, limit } => DeathCause::MemoryExceeded {
            rss_bytes: rss,
            limit_bytes: limit,
        },
        KillReason::Displaced => DeathCause::Displaced,
        KillReason::Lingered => DeathCause::Lingered,
        KillReason::Stopped => DeathCause::Stopped,
    }
}
