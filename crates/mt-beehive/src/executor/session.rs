//! The bee's end of her link: her machine between the parent's messages and her tasks.
//!
//! Loop: one a bee, on the link's thread; it runs no user code, so the parent is answered whatever the tasks do.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use mt_ipc::{FrameSender, SendError};
use mt_pool::worker::{Incoming, RoleEnd, RoleLink};
use mt_proto::{
    Failure, Frame, FromBee, FromWorker, HiveWriter, Kind, SetupFailure, SetupStep, TaskId,
    TaskInfo, TaskStatus, ToBee, hive_messages,
};
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    messages::Report,
    order_queue::OrderQueue,
    panic_queue::PanicQueue,
    progress_buffer::{self, ProgressBuffer},
};
use crate::{
    generated::{decode_args, encode_value},
    machine::{
        BUSY_STATUS,
        bee::{BeeEffect, BeeEvent, BeeMachine},
    },
    registry::MAX_MESSAGE_BYTES,
};

/// The frames on the way to the operating system at once.
const FRAMES_ON_THE_WAY: usize = 4;
/// How long a task may wait for the bee's thread before she says that she is behind: longer than it takes to begin
/// what came together, and shorter than anybody should wait while another bee is free.
const BEHIND_AFTER: Duration = Duration::from_millis(10);
/// The reports handled before what they bring about is said.
const REPORTS_PER_TURN: usize = 256;

struct BeeSession {
    machine: Option<BeeMachine>,
    max_concurrency: Option<u32>,
    sender: FrameSender,
    orders: Arc<OrderQueue>,
    /// The last task that was given when the clock was set that looks for tasks that wait; none while it is not set.
    looks_for: Option<u64>,
    look: Pin<Box<Sleep>>,
    writer: HiveWriter,
    /// Full frames that wait for room.
    frames: VecDeque<Frame>,
    /// How far tasks are.
    progress: Arc<ProgressBuffer>,
    /// Tasks that have panicked and are not told of yet.
    panics: PanicQueue,
    /// When progress may be said again.
    progress_from: Instant,
    over: bool,
}

/// Talks until all is handed to the link. The error says why it ended before.
pub(super) async fn run(
    max_concurrency: Option<u32>,
    mut link: RoleLink,
    orders: Arc<OrderQueue>,
    mut reported: mpsc::Receiver<Report>,
    progress: Arc<ProgressBuffer>,
) -> Result<RoleEnd, String> {
    let mut session = BeeSession {
        machine: None,
        max_concurrency,
        sender: link.sender.clone(),
        orders,
        looks_for: None,
        look: Box::pin(sleep_until(Instant::now())),
        writer: HiveWriter::default(),
        frames: VecDeque::new(),
        progress,
        progress_from: Instant::now(),
        panics: PanicQueue::default(),
        over: false,
    };
    while !session.over {
        let waiting = !session.frames.is_empty();
        let progress = !waiting && session.progress.any();
        // All arms are cancel-safe.
        tokio::select! {
            incoming = link.recv() => session.on_incoming(incoming?)?,
            report = reported.recv() => session.on_reports(report, &mut reported)?,
            () = session.sender.bulk_below(FRAMES_ON_THE_WAY), if waiting => {}
            (task_id, failure) = session.panics.next() => {
                session.on_ended(task_id, TaskStatus::Failed(Box::new(failure)))?;
            }
            () = sleep_until(session.progress_from), if progress => session.on_progress()?,
            () = &mut session.look, if session.looks_for.is_some() => session.look_for_waiting()?,
        }
        session.send().await;
    }
    Ok(RoleEnd::Done)
}

impl BeeSession {
    fn on_incoming(&mut self, incoming: Incoming) -> Result<(), String> {
        let frame = match incoming {
            Incoming::Frame(frame) if frame.kind == Kind::Role => frame,
            Incoming::Frame(_) => return Err("the parent spoke out of turn".into()),
            // The parent wants the process gone, without a word about tasks.
            Incoming::Die | Incoming::Rest => return self.hear(ToBee::Die),
        };
        for message in hive_messages(frame) {
            self.hear(message.map_err(|error| error.to_string())?)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: ToBee) -> Result<(), String> {
        match &self.machine {
            Some(_) => self.tell(BeeEvent::Said(message)),
            None if message == ToBee::Die => {
                self.over = true;
                Ok(())
            }
            None => Err("the parent gave a task to a bee that was not made".into()),
        }
    }

    fn on_reports(
        &mut self,
        report: Option<Report>,
        more: &mut mpsc::Receiver<Report>,
    ) -> Result<(), String> {
        let Some(report) = report else {
            return Err("the bee is gone without having finished".into());
        };
        self.on_report(report)?;
        for _ in 0..REPORTS_PER_TURN {
            match more.try_recv() {
                Ok(report) => self.on_report(report)?,
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn on_report(&mut self, report: Report) -> Result<(), String> {
        match report {
            Report::Ready { children } => {
                let _ = self.sender.try_send(FromWorker::Ready.into_frame());
                let machine = BeeMachine::new(self.max_concurrency);
                self.machine = Some(if children {
                    machine.with_children()
                } else {
                    machine
                });
                self.act()
            }
            Report::NotReady(message) => {
                let step = SetupStep::Init;
                let failed = FromWorker::SetupFailed(SetupFailure { step, message });
                let _ = self.sender.try_send(failed.into_frame());
                self.over = true;
                Ok(())
            }
            Report::Ended(task_id, status) => self.on_ended(task_id, status),
            Report::Panicked(task_id, panic) => {
                self.panics.push(task_id, panic);
                Ok(())
            }
            Report::Progress => Ok(()),
            // Of an answer that has come late nobody would hear that it is not so any more: another comes.
            Report::CaughtUp if self.orders.is_watched() => Ok(()),
            Report::CaughtUp => self.tell(BeeEvent::CaughtUp),
            Report::Burying => self.tell(BeeEvent::Burying),
            Report::ChildrenGone => self.tell(BeeEvent::ChildrenGone),
        }
    }

    fn on_ended(&mut self, task_id: TaskId, status: TaskStatus) -> Result<(), String> {
        if let Some(progress) = self.progress.take_of(task_id) {
            self.tell(BeeEvent::Progress(task_id, progress))?;
        }
        self.tell(BeeEvent::Ended(task_id, status))
    }

    /// Says how far tasks are.
    fn on_progress(&mut self) -> Result<(), String> {
        self.progress_from = Instant::now() + progress_buffer::REST;
        for (task_id, progress) in self.progress.take() {
            self.tell(BeeEvent::Progress(task_id, progress))?;
        }
        Ok(())
    }

    fn tell(&mut self, event: BeeEvent) -> Result<(), String> {
        if let Some(machine) = &mut self.machine {
            machine
                .handle(event)
                .map_err(|nonsense| nonsense.0.to_owned())?;
        }
        self.act()
    }

    fn act(&mut self) -> Result<(), String> {
        while let Some(effect) = self.machine.as_mut().and_then(BeeMachine::poll_effect) {
            match effect {
                BeeEffect::Say(message) => self.say(message),
                BeeEffect::Start(info) if info.name == BUSY_STATUS => self.on_busy_status(&info),
                BeeEffect::Start(info) => self.give(info)?,
                BeeEffect::Cancel(task_id) => {
                    if let Some(failure) = self.panics.give_up(task_id) {
                        let status = TaskStatus::Failed(Box::new(failure));
                        self.happen(BeeEvent::Ended(task_id, status));
                    } else if self.orders.cancel(task_id) {
                        self.happen(BeeEvent::Ended(task_id, TaskStatus::Cancelled));
                    }
                }
                BeeEffect::GiveBack(most) => {
                    let (back, waiting) = self.orders.take_back(most);
                    self.happen(BeeEvent::GaveBack(back, waiting));
                }
                BeeEffect::Bury => self.orders.bury(),
                BeeEffect::Exit => {
                    self.orders.close();
                    self.over = true;
                }
            }
        }
        Ok(())
    }

    /// Tells the machine of something that follows from one of its effects.
    fn happen(&mut self, event: BeeEvent) {
        if let Some(machine) = &mut self.machine {
            let _ = machine.handle(event);
        }
    }

    /// Answered here: the question must not wait behind the work it asks about.
    fn on_busy_status(&mut self, info: &TaskInfo) {
        self.orders.pass_by();
        let busy = self.machine.as_ref().map_or(0.0, BeeMachine::busy_status);
        let answer = decode_args::<()>(&info.args).and_then(|()| encode_value(&busy));
        let status = match answer {
            Ok(returning_value) => TaskStatus::Succeeded { returning_value },
            Err(unsuccessful) => unsuccessful.into_status(),
        };
        self.happen(BeeEvent::Ended(info.task_id, status));
    }

    fn give(&mut self, info: TaskInfo) -> Result<(), String> {
        if !self.orders.give(info) {
            return Err("the parent gave more tasks than can wait".into());
        }
        if self.looks_for.is_none() {
            self.look_again();
        }
        Ok(())
    }

    /// Sets the clock, if a task waits.
    fn look_again(&mut self) {
        let last = self.orders.waiting().map(|(_, last)| last);
        self.looks_for = last;
        if last.is_some() {
            self.look.as_mut().reset(Instant::now() + BEHIND_AFTER);
        }
    }

    /// Whether a task waits that did so when the clock was set.
    fn look_for_waiting(&mut self) -> Result<(), String> {
        let oldest = self.orders.waiting().map(|(oldest, _)| oldest);
        let waits = oldest
            .zip(self.looks_for)
            .is_some_and(|(oldest, last)| oldest <= last);
        if !waits {
            self.look_again();
            return Ok(());
        }
        self.looks_for = None;
        match self.orders.watch() {
            0 => Ok(()),
            waiting => self.tell(BeeEvent::Behind(waiting)),
        }
    }

    fn say(&mut self, message: FromBee) {
        let pushed = self.writer.push(&message, MAX_MESSAGE_BYTES);
        if pushed.is_err()
            && let FromBee::TaskDone { task_id, round, .. } = message
        {
            let limit_bytes = MAX_MESSAGE_BYTES as u64;
            let failure = Failure::TooLarge { limit_bytes };
            let too_long = FromBee::TaskDone {
                task_id,
                round,
                status: TaskStatus::Failed(Box::new(failure)),
            };
            let _ = self.writer.push(&too_long, MAX_MESSAGE_BYTES);
        }
        if self.writer.is_full() {
            self.frames.push_back(self.writer.take());
        }
    }

    /// Sends what there is room for; when all is over, all of it. What can't be sent waits while reading goes
    /// on, and there is no more of it than there are tasks.
    async fn send(&mut self) {
        if !self.writer.is_empty() {
            self.frames.push_back(self.writer.take());
        }
        while let Some(frame) = self.frames.front() {
            match self.sender.try_send(frame.clone()) {
                Err(SendError::Full) if self.over => {
                    self.sender.bulk_below(FRAMES_ON_THE_WAY).await
                }
                Err(SendError::Full) => return,
                Ok(()) | Err(_) => drop(self.frames.pop_front()),
            }
        }
    }
}
