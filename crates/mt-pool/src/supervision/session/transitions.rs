//! What changes where a worker is in its life: its messages, times that have come, its owner, its end.

use std::sync::Arc;

use mt_ipc::{Activity, CapturedOutput, Exit, FrameReceiver, HandshakeError, OutputTail, accept};
use mt_proto::{Beat, Frame, FromWorker, Kind, ToWorker, Welcome, guarded};
use tokio::time::{Duration, Instant};

use super::{HANG_UP_GRACE, MAX_WAITING, Reach, Session};
use crate::supervision::{
    control::WorkerControl,
    death::{Death, DeathCause},
    hello_timeout::HelloLook,
    last_words::LastWords,
    lease::Lease,
    phase::{Ending, Overdue, Phase, Step, Wait},
    session_event::{SessionEvent, WorkerEnd},
    slots::SlotNumber,
    spawn_spec::SpawnSpec,
    watch::Watch,
    worker_failure::WorkerFailure,
};

impl Session {
    pub(super) async fn on_message(&mut self, message: FromWorker) -> bool {
        let (now, limits) = (Instant::now(), self.limits());
        let step = match self.phase.on_message(now, limits, message) {
            Ok(step) => step,
            Err(what) => return self.broke_protocol(what),
        };
        match step {
            Step::Nothing => {}
            Step::Ready => {
                let now = std::time::Instant::now();
                self.record.ready_at.get_or_insert(now);
                self.tell(SessionEvent::Ready).await;
            }
            Step::Failed(failure) => {
                let (step, message) = (failure.step, failure.message);
                self.failure = Some(WorkerFailure::Setup { step, message });
            }
            Step::Beat(beat) => self.watch.liveness.on_beat(beat),
            Step::Trace { events, dropped } => {
                self.tell(SessionEvent::Trace { events, dropped }).await;
            }
            Step::Rest => return self.park().await,
        }
        true
    }

    pub(super) async fn greet(&mut self, first: Frame) -> bool {
        let Some(lease) = &self.lease else {
            return false;
        };
        let welcome = Welcome {
            worker: lease.worker,
            beat_interval: lease.spec.liveness.interval,
        };
        match accept(&self.sender, first, lease.spec.fingerprint, welcome) {
            Ok(()) => {
                let spec = Arc::clone(&lease.spec);
                if spec.is_wrapped() {
                    self.watch_worker(&spec);
                }
                self.assign().await;
            }
            Err(HandshakeError::Recv(error)) => return self.broke_protocol(&error.to_string()),
            Err(error) => {
                // The refusal is on its way; a worker that gets it exits by itself.
                self.sender.close();
                self.failure.get_or_insert(WorkerFailure::Handshake(error));
                self.end_within(HANG_UP_GRACE, DeathCause::Stopped);
            }
        }
        true
    }

    /// The worker has done all it had to for its owner: it waits for the next one.
    pub(super) async fn park(&mut self) -> bool {
        let unasked = "it rests without having been told to";
        // Looked at first: without a slot the lease stays, and with it the owner who is to hear of the end.
        let Some(slot) = &self.slot else {
            return self.broke_protocol(unasked);
        };
        let Some(lease) = self.lease.take_if(|lease| lease.control.is_released()) else {
            return self.broke_protocol(unasked);
        };
        // Before the owner knows, so that the next one finds it.
        self.record.items += lease.control.items();
        let number = self.number.as_ref().map(SlotNumber::get);
        let parked = number.and_then(|number| slot.0.park(&lease.spec, &self.record, number));
        match parked {
            Some(wait) => {
                let until = Instant::now().checked_add(wait.idle);
                self.phase = Phase::Idle { until, wait };
            }
            None => self.dismiss(),
        }
        lease.tell(SessionEvent::Released).await;
        true
    }

    pub(super) fn broke_protocol(&mut self, what: &str) -> bool {
        self.end(DeathCause::BrokeProtocol(what.to_owned()));
        false
    }

    /// A time has come. Returns whether the worker is still listened to.
    pub(super) async fn on_due(&mut self, receiver: &mut FrameReceiver, mut reading: bool) -> bool {
        // This process may have been stopped meanwhile: what the worker has said since counts.
        for _ in 0..MAX_WAITING {
            let (true, true) = (reading, self.phase.is_early()) else {
                break;
            };
            let Ok(Some(frame)) = receiver.recv_now() else {
                break;
            };
            reading = self.on_frame(frame).await;
        }
        let now = Instant::now();
        if let Some(ending) = self.ending.take_if(|ending| ending.until <= now) {
            self.end(ending.cause);
        } else if self.due().is_some_and(|due| due <= now) {
            self.on_phase_due(now).await;
        }
        reading
    }

    pub(super) async fn on_phase_due(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Greeting(hello) => {
                let pid = self.process.id();
                let is_wrapped = self
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.spec.is_wrapped());
                let can_speak = || is_wrapped || mt_ipc::may_be_worker(pid);
                match hello.look(now, Activity::of(pid), can_speak) {
                    HelloLook::Wait => {}
                    HelloLook::Slow(waited) => self.tell(SessionEvent::Slow { waited }).await,
                    HelloLook::GiveUp(waited) => self.give_up(WorkerFailure::Silent { waited }),
                    HelloLook::Foreign => {
                        let program = mt_ipc::program_of(pid);
                        self.give_up(WorkerFailure::Foreign { program });
                    }
                }
            }
            Phase::Idle { until, wait } => {
                *until = None;
                if self.slot.as_ref().is_some_and(|slot| slot.0.withdraw(wait)) {
                    self.dismiss();
                }
            }
            Phase::SettingUp(_) | Phase::Failed(_) | Phase::Leaving { .. } => {
                let (limits, moved) = (self.limits(), self.watch.moved.map(Instant::from_std));
                match self.phase.overdue(now, limits, moved) {
                    Some(Overdue::Setup) => {
                        let limit = limits.setup;
                        self.give_up(WorkerFailure::SetupTimedOut { limit });
                    }
                    Some(Overdue::Leave) => self.end(DeathCause::Lingered),
                    None => {}
                }
            }
            Phase::Working | Phase::Dismissed => {}
        }
    }

    /// Somebody has use for it, or nobody ever will.
    pub(super) async fn take_lease(&mut self, lease: Option<Lease>) {
        let Some(lease) = lease else {
            return self.dismiss();
        };
        if let Some(stderr) = &self.stderr {
            stderr.start_over();
        }
        let pid = self.process.id();
        self.watch_worker(&lease.spec);
        let record = self.record.clone();
        lease.tell(SessionEvent::Reused { pid, record }).await;
        self.lease = Some(lease);
        self.assign().await;
    }

    /// Watches the worker itself, which a wrapper may have started as a process of its own.
    fn watch_worker(&mut self, spec: &SpawnSpec) {
        let mut pid = self.process.id();
        if spec.is_wrapped() {
            pid = mt_ipc::worker_of(pid);
        }
        self.watch = Watch::new(spec.liveness, spec.busy_by_processor, pid);
    }

    pub(super) async fn assign(&mut self) {
        let Some(lease) = &self.lease else { return };
        self.phase = Phase::SettingUp(Wait::new(Instant::now(), lease.spec.init_deadline));
        if let Some(init) = &lease.spec.reuse.init {
            self.record.init = Some(init.clone());
        }
        self.progress.set_gate(None);
        // A worker can't be set up by an empty one, and says so.
        let assignment = guarded(|| (lease.spec.assignment)(lease.worker));
        let assignment = assignment.unwrap_or_else(|_| Frame::new(Kind::Assign, vec![]));
        let assignment = assignment.with_attachments(lease.spec.attachments.clone());
        // An empty queue has room for one frame.
        let _ = self.sender.try_send(assignment);
        let (sender, progress) = (self.sender.clone(), self.progress.clone());
        lease.tell(SessionEvent::Greeted { sender, progress }).await;
    }

    /// Tells it to go; it has nothing to finish.
    pub(super) fn dismiss(&mut self) {
        let _ = self.sender.try_send(ToWorker::Beat(Beat::Die).into_frame());
        self.phase = Phase::Dismissed;
        self.end_within(HANG_UP_GRACE, DeathCause::Stopped);
    }

    pub(super) fn terminate(&mut self, control: &WorkerControl) {
        let cause = control.cause().unwrap_or(DeathCause::Stopped);
        if self.waits_for_end(&cause) {
            return;
        }
        self.cause.get_or_insert(cause.clone());
        self.process.terminate();
        let lease = self.lease.as_ref();
        let grace = lease.map_or(Duration::ZERO, |lease| lease.spec.kill_grace);
        self.end_within(grace, cause);
    }

    pub(super) fn end_within(&mut self, grace: Duration, cause: DeathCause) {
        let until = Instant::now().checked_add(grace);
        self.ending = until.map(|until| Ending { cause, until });
    }

    /// The worker will not get as far as being set up.
    pub(super) fn give_up(&mut self, failure: WorkerFailure) {
        if self.waits_for_end(&DeathCause::Stopped) {
            return;
        }
        self.failure.get_or_insert(failure);
        self.stop();
    }

    /// Kills the worker, unless it is dying already. The first cause stands.
    pub(super) fn end(&mut self, cause: DeathCause) {
        if !self.waits_for_end(&cause) {
            self.cause.get_or_insert(cause);
            self.kill();
        }
    }

    /// Kills the worker, which nobody needs any more.
    pub(super) fn stop(&mut self) {
        self.cause.get_or_insert(DeathCause::Stopped);
        self.kill();
    }

    /// The owner kills the worker. It may do so twice, and then the worker is not dying by itself; or when it is waited
    /// for and its owner has no use for it any more.
    pub(super) fn on_killed(&mut self, control: &WorkerControl) {
        let cause = control.cause().unwrap_or(DeathCause::Stopped);
        if control.is_stopped() || !self.waits_for_end(&cause) {
            self.cause.get_or_insert(cause);
            self.kill();
        }
    }

    /// Whether the worker has begun to die by itself before anybody here has ended it: then it is waited for, up to a
    /// limit, for how it died is worth knowing, and a core that is being dumped would be cut.
    fn waits_for_end(&mut self, cause: &DeathCause) -> bool {
        let now = Instant::now();
        let untouched = self.cause.is_none() && self.reach == Reach::Full;
        if self.dying.is_none() && untouched && mt_ipc::is_dying(self.watch.pid()) {
            let until = now.checked_add(self.watch.liveness.core_dump());
            self.dying = until.or(Some(now));
        }
        let Some(until) = self.dying.filter(|until| now < *until) else {
            return false;
        };
        let cause = cause.clone();
        self.ending = Some(Ending { cause, until });
        true
    }

    fn kill(&mut self) {
        if self.process.kill() {
            return;
        }
        let now = Instant::now();
        let until = match self.reach {
            Reach::Full => now + HANG_UP_GRACE,
            Reach::HungUp(until) if now < until => until,
            Reach::HungUp(_) | Reach::None => {
                self.reach = Reach::None;
                self.cause = Some(DeathCause::OutOfReach);
                return;
            }
        };
        self.reach = Reach::HungUp(until);
        let cause = DeathCause::OutOfReach;
        self.ending = Some(Ending { cause, until });
    }

    /// The worker is reaped. Returns the lease that it was about to take.
    pub(super) async fn over(mut self, exit: Exit, stderr: OutputTail) -> Option<Lease> {
        drop(self.number.take());
        let Some(lease) = self.lease.take() else {
            let cause = self.cause_of_death(exit, None);
            let Phase::Idle { wait, .. } = self.phase else {
                return None;
            };
            self.slot.iter().for_each(|slot| slot.count_death(&cause));
            return wait.too_late();
        };
        let cause = self.cause_of_death(exit, lease.control.cause());
        let said_bye = matches!(self.phase, Phase::Leaving { .. });
        let in_peace = said_bye && cause == DeathCause::Itself;
        if let Some(slot) = self.slot.as_ref().filter(|_| !in_peace) {
            slot.count_death(&cause);
        }
        let mut death = Death::new(exit, cause);
        death.last_words = LastWords::new(stderr, &self.progress);
        let failure = self.failure.take();
        let captured = self.captured.take().and_then(CapturedOutput::of_dead);
        let end = WorkerEnd {
            captured,
            finished: self.progress.finished(),
            started: self.progress.started(),
            died_first: self.dying.is_some()
                && matches!(death.cause, DeathCause::Itself | DeathCause::Terminated),
            said_bye,
            failure: failure.or_else(|| self.phase.failure(&death)).map(Arc::new),
            death,
        };
        lease.tell(SessionEvent::Ended(end)).await;
        None
    }

    /// Why the worker is gone. `wanted` is what its owner has ended it for: that says more than that it was ended, or that
    /// it is gone.
    fn cause_of_death(&mut self, exit: Exit, wanted: Option<DeathCause>) -> DeathCause {
        let cause = match self.cause.take() {
            // It was dying before its owner had ended it.
            None if self.dying.is_some() => DeathCause::Itself,
            None => wanted.unwrap_or(DeathCause::Itself),
            Some(DeathCause::Stopped) => wanted.unwrap_or(DeathCause::Stopped),
            Some(cause) => cause,
        };
        let said_bye = matches!(self.phase, Phase::Leaving { .. });
        match cause {
            // The worker's guard has done what this session would have done a moment later.
            DeathCause::Itself if self.progress.has_hung_up() => DeathCause::HungUp,
            DeathCause::Itself if self.watch.was_out_of_memory(exit) => DeathCause::OutOfMemory,
            // Nobody here has sent it.
            DeathCause::Itself if exit.was_asked_to_end() && !said_bye => DeathCause::Terminated,
            cause => cause,
        }
    }
}
