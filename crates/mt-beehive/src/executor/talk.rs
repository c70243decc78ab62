//! The thread that talks: the child's machine between the parent's messages and the bee's tasks.
//!
//! Loop: one a bee; it runs no user code, so the parent is answered whatever the tasks do.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use mt_ipc::{FrameReceiver, FrameSender, SendError};
use mt_pool::__private::{RoleLink, RoleTrace};
use mt_proto::{
    Beat, Frame, FromBee, FromWorker, HiveWriter, Kind, MAX_RECORD_BYTES, RaisedException,
    TaskStatus, ToBee, ToWorker, encode, hive_messages,
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    Order, Report, TalkEnd, TurnCounter,
    progress_buffer::{self, ProgressBuffer},
};
use crate::machine::bee::{BeeMachine, Effect, Event};

/// The frames on the way to the operating system at once.
const LOADS: usize = 4;
/// The most bytes of one message: a frame with what else is in it stays within its limit.
const MAX_SAID_BYTES: usize = MAX_RECORD_BYTES - (1 << 20);
/// The reports handled before what they bring about is said.
const REPORTS_PER_TURN: usize = 256;
/// The task every bee has: how busy she is.
const BUSY_STATUS: &str = "busy_status";

struct Talk {
    machine: Option<BeeMachine>,
    max_concurrency: Option<u32>,
    sender: FrameSender,
    orders: Option<mpsc::Sender<Order>>,
    writer: HiveWriter,
    /// Full frames that wait for room.
    frames: VecDeque<Frame>,
    /// How far tasks are.
    progress: Arc<ProgressBuffer>,
    /// When progress may be said again.
    progress_from: Instant,
    turn_counter: Arc<TurnCounter>,
    over: bool,
}

/// Talks until all is said. The error says why it ended before.
pub(super) async fn talk(
    max_concurrency: Option<u32>,
    link: RoleLink,
    end: TalkEnd,
) -> Result<(), String> {
    let RoleLink {
        sender,
        mut receiver,
        beat_interval,
        ..
    } = link;
    let TalkEnd {
        orders,
        mut reported,
        progress,
        turn_counter,
        mut trace,
    } = end;
    let mut talk = Talk {
        machine: None,
        max_concurrency,
        sender,
        orders: Some(orders),
        writer: HiveWriter::default(),
        frames: VecDeque::new(),
        progress,
        progress_from: Instant::now(),
        turn_counter,
        over: false,
    };
    let mut beats = interval(beat_interval.max(Duration::from_millis(1)));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !talk.over {
        let waiting = !talk.frames.is_empty();
        let progress = !waiting && talk.progress.any();
        // All arms are cancel-safe.
        tokio::select! {
            frame = next_frame(&mut receiver) => talk.on_frame(frame?)?,
            report = reported.recv() => talk.on_reports(report, &mut reported)?,
            () = talk.sender.bulk_below(LOADS), if waiting => {}
            () = sleep_until(talk.progress_from), if progress => talk.on_progress()?,
            () = trace.due(), if !waiting => talk.say_trace(&mut trace),
            _ = beats.tick() => talk.beat(),
        }
        if talk.over {
            talk.say_trace(&mut trace);
        }
        talk.send().await;
    }
    Ok(())
}

async fn next_frame(receiver: &mut FrameReceiver) -> Result<Frame, String> {
    let frame = receiver.recv().await.map_err(|error| error.to_string())?;
    frame.ok_or_else(|| "the parent hung up".to_owned())
}

impl Talk {
    fn on_frame(&mut self, frame: Frame) -> Result<(), String> {
        if frame.kind != Kind::Hive {
            return match ToWorker::from_frame(frame).map_err(|error| error.to_string())? {
                ToWorker::Beat(Beat::Alive) => Ok(()),
                // The parent wants it gone, without a word about tasks.
                ToWorker::Beat(Beat::Die) => self.hear(ToBee::Die),
                _ => Err("the parent spoke out of turn".into()),
            };
        }
        for message in hive_messages(frame) {
            self.hear(message.map_err(|error| error.to_string())?)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: ToBee) -> Result<(), String> {
        match &self.machine {
            Some(_) => self.tell(Event::Said(message)),
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
                let machine = BeeMachine::new(self.max_concurrency);
                self.machine = Some(if children {
                    machine.with_children()
                } else {
                    machine
                });
                self.act();
                Ok(())
            }
            Report::NotReady(message) => {
                let message = mt_proto::clip_text(message);
                self.say(FromBee::NotReady { message });
                self.over = true;
                Ok(())
            }
            Report::Ended(task_id, status) => {
                if let Some(progress) = self.progress.take_of(task_id) {
                    self.tell(Event::Progress(task_id, progress))?;
                }
                self.tell(Event::Ended(task_id, status))
            }
            Report::Progress => Ok(()),
            Report::ChildrenGone => self.tell(Event::ChildrenGone),
        }
    }

    /// Says how far tasks are.
    fn on_progress(&mut self) -> Result<(), String> {
        self.progress_from = Instant::now() + progress_buffer::REST;
        for (task_id, progress) in self.progress.take() {
            self.tell(Event::Progress(task_id, progress))?;
        }
        Ok(())
    }

    fn tell(&mut self, event: Event) -> Result<(), String> {
        if let Some(machine) = &mut self.machine {
            machine
                .handle(event)
                .map_err(|nonsense| nonsense.0.to_owned())?;
        }
        self.act();
        Ok(())
    }

    fn act(&mut self) {
        while let Some(effect) = self.machine.as_mut().and_then(BeeMachine::poll_effect) {
            match effect {
                Effect::Say(message) => self.say(message),
                Effect::Start(info) if info.name == BUSY_STATUS => {
                    // Answered here: the question must not wait behind the work it asks about.
                    let busy = self.machine.as_ref().map_or(0.0, BeeMachine::busy_status);
                    let value = encode(&busy, MAX_RECORD_BYTES).unwrap_or_default();
                    let status = TaskStatus::Succeeded {
                        returning_value: value.into(),
                    };
                    if let Some(machine) = &mut self.machine {
                        let _ = machine.handle(Event::Ended(info.task_id, status));
                    }
                }
                Effect::Start(info) => self.order(Order::Start(info)),
                Effect::Cancel(task_id) => self.order(Order::Cancel(task_id)),
                Effect::Bury => self.order(Order::Bury),
                Effect::Exit => {
                    self.orders = None;
                    self.over = true;
                }
            }
        }
    }

    /// The queue has room for every task the machine lets in, and for its cancel.
    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.try_send(order);
        }
    }

    fn say(&mut self, message: FromBee) {
        let shorter = match self.writer.push(&message, MAX_SAID_BYTES) {
            Ok(()) => None,
            Err(error) => too_long(message, &error),
        };
        if let Some(shorter) = shorter {
            let _ = self.writer.push(&shorter, MAX_SAID_BYTES);
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
                Err(SendError::Full) if self.over => self.sender.bulk_below(LOADS).await,
                Err(SendError::Full) => return,
                Ok(()) | Err(_) => drop(self.frames.pop_front()),
            }
        }
    }

    /// Sends `tracing` events; the last of them before the last message.
    fn say_trace(&mut self, trace: &mut RoleTrace) {
        if let Some(frame) = trace.take() {
            let _ = self.sender.try_send(frame);
        }
    }

    fn beat(&self) {
        let beat = self.turn_counter.beat();
        let _ = self.sender.try_send(FromWorker::Beat(beat).into_frame());
    }
}

/// What is said in place of something that is too long to be said.
fn too_long(message: FromBee, error: &mt_proto::EncodeError) -> Option<FromBee> {
    match message {
        FromBee::TaskDone { task_id, round, .. } => Some(FromBee::TaskDone {
            task_id,
            round,
            status: TaskStatus::raised(RaisedException::text(format!(
                "what the task returned can't be sent: {error}"
            ))),
        }),
        _ => None,
    }
}
