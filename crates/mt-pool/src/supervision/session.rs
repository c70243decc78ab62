//! One worker process, from its start to its end: start, handshake, assignment, signs of life, end. Messages are
//! decoded here once, and handed on as typed events; those of the worker's role are handed on as they are.
//!
//! Loop: one a worker.

mod transitions;

use std::{sync::Arc, time::Duration};

use mt_ipc::{
    CapturedOutput, ChildProcess, Exit, FrameReceiver, FrameSender, OutputReader, OutputTail,
    Progress, RecvError, SendError, SpawnRequest, Spawned, Writer,
};
use mt_proto::{Beat, Frame, FromWorker, ToWorker, WorkerId};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until},
};

use super::{
    control::WorkerControl,
    death::{Death, DeathCause},
    frame_source::FrameSource,
    hello_timeout::HelloTimeout,
    idle_workers::{IdleWait, IdleWorkers, Slot},
    lease::Lease,
    liveness::Health,
    phase::{Ending, Phase, PhaseLimits},
    process_record::ProcessRecord,
    session_event::SessionEvent,
    slots::SlotNumber,
    watch::{Traffic, Watch},
    worker_failure::WorkerFailure,
};

/// How long a worker may live on after its connection has ended. A process that dies closes its
/// descriptors some moments before its exit can be seen, and how it ended is worth waiting for.
pub(crate) const HANG_UP_GRACE: Duration = Duration::from_secs(1);
/// How long whoever has killed workers waits for them to be gone. That takes a few milliseconds; one in an
/// uninterruptible system call is left to the guard thread.
pub(crate) const END_WAIT: Duration = Duration::from_secs(1);
/// The frames of a role on the way to the operating system at once: what comes meanwhile is sent together.
const FRAMES_ON_THE_WAY: usize = 4;
/// More frames than can wait for this process while it is stopped.
const MAX_WAITING: usize = 1 << 16;

struct Session {
    /// `None` while it waits for the next.
    lease: Option<Lease>,
    /// The slot of its process. Free again before somebody hears of the end and replaces it; and before the right below
    /// is, so that there are never more numbers than rights.
    number: Option<SlotNumber>,
    /// The right to be one of several that owners share.
    slot: Option<Slot>,
    phase: Phase,
    ending: Option<Ending>,
    watch: Watch,
    sender: FrameSender,
    process: ChildProcess,
    progress: Progress,
    stdout: Option<OutputReader>,
    captured: Option<CapturedOutput>,
    stderr: Option<OutputReader>,
    /// What it has been through under earlier owners.
    record: ProcessRecord,
    cause: Option<DeathCause>,
    failure: Option<WorkerFailure>,
    /// Until when it may be dying; set once it was found at that before anybody here had ended it.
    dying: Option<Instant>,
    reach: Reach,
}

/// Whether this process can put an end to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Full,
    /// The system does not permit it. Its connection is ended, and it has until then to end itself.
    HungUp(Instant),
    /// The worker has not ended itself either.
    None,
}

/// Brings a worker up that was asked for, and sees it through to its end.
pub(super) async fn run(
    lease: Lease,
    asked: SpawnRequest,
    number: SlotNumber,
    frames: Arc<impl FrameSource>,
) {
    bring_up(lease, asked, (number, None), &*frames).await;
}

/// The same with workers that owners share: one that waits takes the lease, or a new one does and waits for
/// others afterwards.
pub(super) async fn run_shared(lease: Lease, idle: Arc<IdleWorkers>, frames: impl FrameSource) {
    use super::idle_workers::Filled;
    let mut open = Some(lease);
    while let Some(lease) = open {
        open = match idle.fill(lease).await {
            Filled::Taken => None,
            // It may die while it waits, with its next lease on the way.
            Filled::Slot(lease, slot) => {
                let number = idle.number();
                let asked = lease.spec.request(&number);
                bring_up(lease, asked, (number, Some(slot)), &frames).await
            }
            Filled::Killed(lease) => {
                let death = Death::new(Exit::default(), DeathCause::Stopped);
                lease.void(WorkerFailure::NoHello { death }).await;
                None
            }
        };
    }
}

/// Sees a process through to its end. Returns a lease that came too late for it.
async fn bring_up(
    lease: Lease,
    asked: SpawnRequest,
    (number, slot): (SlotNumber, Option<Slot>),
    frames: &impl FrameSource,
) -> Option<Lease> {
    let spawned = match asked.started().await {
        Ok(spawned) => spawned,
        Err(error) => {
            drop(number);
            lease.void(WorkerFailure::Spawn(error)).await;
            return None;
        }
    };
    let Spawned {
        process,
        connection,
        progress,
        stdout,
        captured,
        stderr,
        ..
    } = spawned;
    let (sender, mut receiver, writer) = connection.open(lease.spec.limits, lease.spec.queue);
    let pid = process.id();
    lease.tell(SessionEvent::Started { pid }).await;
    let mut session = Session {
        watch: Watch::new(lease.spec.liveness, lease.spec.busy_by_processor, pid),
        phase: Phase::Greeting(HelloTimeout::new(Instant::now(), lease.spec.start_limit)),
        lease: Some(lease),
        number: Some(number),
        slot,
        ending: None,
        sender,
        process,
        progress,
        stdout,
        captured,
        stderr,
        record: ProcessRecord::default(),
        cause: None,
        failure: None,
        dying: None,
        reach: Reach::Full,
    };
    let exit = session.attend(&mut receiver, writer, frames).await;
    if let Some(stdout) = session.stdout.take() {
        stdout.finish().await;
    }
    let stderr = match session.stderr.take() {
        Some(stderr) => stderr.finish().await,
        None => OutputTail::default(),
    };
    session.over(exit, stderr).await
}

impl Session {
    async fn attend(
        &mut self,
        receiver: &mut FrameReceiver,
        writer: Writer,
        frames: &impl FrameSource,
    ) -> Exit {
        let writer = writer.run();
        tokio::pin!(writer);
        // Not at once: a worker that has just said hello needs its assignment, and no sign of life beside it.
        let (now, between) = (Instant::now(), self.watch.liveness.interval());
        let mut beats = interval_at(now.checked_add(between).unwrap_or(now), between);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut reading, mut writing) = (true, true);
        let exit = loop {
            let (control, owner) = (self.control(), self.shared_owner());
            let (watched, due) = (self.phase.is_watched(), self.due());
            tokio::select! {
                // All arms are cancel-safe: `recv` keeps what it has read, `wait` can be called again, and the
                // writer is not dropped. The writer comes first, so that what the last turn has brought is sent
                // before anything is waited for; what the worker says comes last, for there may be no end of it.
                biased;
                _ = &mut writer, if writing => writing = false,
                exit = self.process.wait() => break exit,
                () = control.killed() => {
                    reading &= !control.is_broken();
                    self.on_killed(&control);
                }
                () = control.terminated() => self.terminate(&control),
                () = closed(&owner), if owner.is_some() && self.cause.is_none() => self.stop(),
                _ = beats.tick(), if watched => self.on_beat(receiver, reading).await,
                () = room_and(&self.sender, frames.filled()), if watched => self.send_one(frames),
                () = until(due), if due.is_some() => reading = self.on_due(receiver, reading).await,
                lease = next_lease(&mut self.phase) => self.take_lease(lease).await,
                frame = receiver.recv(), if reading => reading = self.on_received(frame).await,
            }
            match self.reach {
                Reach::Full => {}
                Reach::HungUp(_) => receiver.hang_up(),
                Reach::None => break Exit::default(),
            }
        };
        // What a dead worker has left in the connection counts; what it was in the middle of does not.
        while reading && let Ok(Some(frame)) = receiver.recv_left().await {
            reading = self.on_frame(frame).await;
        }
        exit
    }

    /// What its owner ends it with; one that nobody has while it has no owner.
    fn control(&self) -> WorkerControl {
        let lease = self.lease.as_ref();
        lease.map_or_else(WorkerControl::default, |lease| lease.control.clone())
    }

    /// The owner's ear, if the owner might be gone before the worker.
    fn shared_owner(&self) -> Option<mpsc::Sender<(WorkerId, SessionEvent)>> {
        self.slot.as_ref()?;
        Some(self.lease.as_ref()?.events.clone())
    }

    /// How long the worker may take, as its owner has it; whoever has none is waited for by an ending.
    fn limits(&self) -> PhaseLimits {
        let lease = self.lease.as_ref();
        lease.map_or_else(PhaseLimits::default, |lease| PhaseLimits {
            setup: lease.spec.init_deadline,
            leave: lease.spec.exit_grace,
        })
    }

    fn due(&self) -> Option<Instant> {
        match &self.ending {
            Some(ending) => Some(ending.until),
            None => self.phase.due(),
        }
    }

    async fn tell(&self, event: SessionEvent) {
        if let Some(lease) = &self.lease {
            lease.tell(event).await;
        }
    }

    /// Gives a sign of life, and judges those of the worker.
    async fn on_beat(&mut self, receiver: &mut FrameReceiver, reading: bool) {
        let moves = self.watch.on_traffic(Traffic {
            received: receiver.received_bytes(),
            room_made: self.sender.room_made(),
        });
        // One that takes in its assignment, or decodes it, does not beat yet; how long it may take is limited anyway.
        let sets_up = matches!(self.phase, Phase::SettingUp(_));
        if (moves || (sets_up && self.watch.used_processor())) && self.watch.liveness.heard() {
            self.tell(SessionEvent::Health(Health::Well)).await;
        }
        // A full control lane means that the worker does not read; that shows by itself.
        let beat = ToWorker::Beat(Beat::Alive);
        let _ = self.sender.try_send(beat.into_frame());
        let (health, kill) = self.watch.check(|| reading && receiver.has_arrived());
        if let Some(health) = health {
            self.tell(SessionEvent::Health(health)).await;
        }
        if let Some(cause) = kill {
            self.end(cause);
        }
    }

    /// Takes in what came; false when nothing more can come.
    async fn on_received(&mut self, frame: Result<Option<Frame>, RecvError>) -> bool {
        match frame {
            Ok(Some(frame)) => self.on_frame(frame).await,
            Ok(None) | Err(RecvError::Cut | RecvError::Io(_)) => {
                // After a goodbye the exit has its grace.
                if !matches!(self.phase, Phase::Leaving { .. }) {
                    self.end_within(HANG_UP_GRACE, DeathCause::HungUp);
                }
                false
            }
            Err(RecvError::Decode(error)) => self.broke_protocol(&error.to_string()),
            Err(other) => self.broke_protocol(&other.to_string()),
        }
    }

    async fn on_frame(&mut self, frame: Frame) -> bool {
        if self.watch.liveness.heard() {
            self.tell(SessionEvent::Health(Health::Well)).await;
        }
        if matches!(self.phase, Phase::Greeting(_)) {
            return self.greet(frame).await;
        }
        if frame.kind.is_of_role() {
            return self.on_role_frame(frame).await;
        }
        match FromWorker::from_frame(frame) {
            Ok(message) => self.on_message(message).await,
            Err(error) => self.broke_protocol(&error.to_string()),
        }
    }

    async fn on_role_frame(&mut self, frame: Frame) -> bool {
        let Some(lease) = &self.lease else {
            return self.broke_protocol("it spoke while it had nothing to do");
        };
        if let Err(what) = self.phase.check_role_frame() {
            return self.broke_protocol(what);
        }
        lease.tell(SessionEvent::Frame(frame)).await;
        true
    }

    fn send_one(&mut self, frames: &impl FrameSource) {
        // There was room, and nothing else goes there.
        if let Some(frame) = frames.take()
            && let Err(SendError::Full) = self.sender.try_send(frame)
        {
            self.end(DeathCause::BrokeProtocol("it does not read".into()));
        }
    }
}

/// Waits until an owner is gone, which kills what it has left behind. Cancel-safe.
async fn closed(owner: &Option<mpsc::Sender<(WorkerId, SessionEvent)>>) {
    match owner {
        Some(owner) => owner.closed().await,
        None => std::future::pending().await,
    }
}

/// Waits for the next lease, in the phase that has one to wait for; `None` when there will be none. Cancel-safe.
async fn next_lease(phase: &mut Phase) -> Option<Lease> {
    match phase {
        Phase::Idle {
            wait: IdleWait { lease, .. },
            ..
        } => lease.await.ok(),
        _ => std::future::pending().await,
    }
}

/// Waits until then; for ever without a time. Cancel-safe.
pub(crate) async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Waits for room in the send queue, and then for `what`: without room, what is to be sent stays where it is and
/// grows together. Cancel-safe if `what` is.
pub(crate) async fn room_and(sender: &FrameSender, what: impl Future<Output = ()>) {
    sender.bulk_below(FRAMES_ON_THE_WAY).await;
    what.await;
}
