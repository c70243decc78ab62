//! One worker bee's process as the queen's driver handles it: start, handshake, messages, end.
//!
//! Loop: one a bee. Everything it awaits is cancel-safe.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use mt_ipc::{
    ChildProcess, FrameReceiver, FrameSender, Progress, QueueLimits, RecvError, SendError,
    StderrTail, WorkerCommand, accept,
};
use mt_pool::{
    __private::{WorkerEvents, fingerprint, last_words},
    LivenessPolicy,
};
use mt_proto::{
    Beat, Frame, FromWorker, HiveWriter, Kind, Limits, Notice, ToBee, ToWorker, Welcome, WorkerId,
};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    census::{BeeHealth, Vitals},
    watch::Watch,
};

/// The frames on the way to the operating system at once.
const LOADS: usize = 4;
/// How long a bee may take from her start to her first word.
const HELLO: Duration = Duration::from_secs(30);
/// How long a bee that has hung up may take to end.
const HANG_UP_GRACE: Duration = Duration::from_millis(500);
/// More frames than can wait for this process while it is stopped.
const MAX_WAITING: usize = 1 << 16;
/// The most bytes of what she said last that are part of why a task of hers is lost.
const MAX_LAST_WORDS_BYTES: usize = 2048;

/// What happens to a bee.
#[derive(Debug)]
pub(crate) enum BeeEvent {
    /// She said what is in this frame.
    Said(Frame),
    /// Whether she gives no sign of life, though nobody ends her for it.
    Silent(bool),
    /// She is reaped, or never was. Nothing follows.
    Gone(String),
}

/// The driver's means to speak to a bee and to end her.
#[derive(Debug, Default)]
pub(crate) struct BeeHandle {
    /// What waits to be said: bounded by the machine's own rules, some messages a task.
    outbox: Mutex<Outbox>,
    filled: Notify,
    killed: Notify,
    /// What was wrong with what she said.
    nonsense: OnceLock<String>,
    pub(crate) vitals: Vitals,
}

/// Messages in frames that the other side takes: none has too many.
#[derive(Debug, Default)]
struct Outbox {
    full: VecDeque<Frame>,
    open: HiveWriter,
}

impl Outbox {
    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }
}

impl BeeHandle {
    pub(crate) fn say(&self, message: &ToBee) {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let first = outbox.is_empty();
        let said = outbox.open.push(message, usize::MAX);
        said.expect("names and arguments were measured when the task was delegated");
        if outbox.open.is_full() {
            let frame = outbox.open.take();
            outbox.full.push_back(frame);
        }
        drop(outbox);
        if first {
            self.filled.notify_one();
        }
    }

    pub(crate) fn kill(&self) {
        self.killed.notify_one();
    }

    /// What she says can't be understood.
    pub(crate) fn broken(&self, what: &impl fmt::Display) {
        let _ = self.nonsense.set(what.to_string());
        self.kill();
    }

    /// Whether she has said what can't be understood: nothing else she says is believed.
    pub(crate) fn is_broken(&self) -> bool {
        self.nonsense.get().is_some()
    }

    fn take(&self) -> Option<Frame> {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        if outbox.is_empty() {
            return None;
        }
        let frame = outbox.full.pop_front();
        let frame = frame.unwrap_or_else(|| outbox.open.take());
        if !outbox.is_empty() {
            self.filled.notify_one();
        }
        Some(frame)
    }
}

/// What a bee is started with.
pub(crate) struct SpawnSpec {
    pub(crate) command: WorkerCommand,
    /// Her setup, encoded, for the id she gets.
    pub(crate) setup: Box<dyn Fn(u32) -> bytes::Bytes + Send + Sync>,
    pub(crate) liveness: LivenessPolicy,
    /// How long she may take to be made.
    pub(crate) init_deadline: Duration,
    /// Where her `tracing` events go, and those about her: a subscriber may block, or panic.
    pub(crate) events: WorkerEvents,
}

/// Brings a bee up and sees her through to her end.
pub(crate) async fn pump(
    child: u32,
    spec: Arc<SpawnSpec>,
    handle: Arc<BeeHandle>,
    events: mpsc::Sender<(u32, BeeEvent)>,
) {
    let how = match mt_ipc::spawn(spec.command.clone()).await {
        Ok(spawned) => {
            let limits = QueueLimits::default();
            let (sender, receiver, writer) = spawned.connection.open(Limits::default(), limits);
            let pid = spawned.process.id();
            handle.vitals.set_pid(pid);
            let mut bee = Nurse {
                child,
                process: spawned.process,
                sender,
                handle,
                greeted: false,
                made: false,
                said_bye: false,
                hung_up: false,
                watch: Watch::new(spec.liveness, WorkerId(child), pid),
                silent: false,
                why: None,
            };
            let how = bee.attend(receiver, writer.run(), &spec, &events).await;
            match spawned.stderr {
                Some(stderr) => with_last_words(how, stderr.finish().await, &spawned.progress),
                None => with_last_words(how, StderrTail::default(), &spawned.progress),
            }
        }
        Err(error) => error.to_string(),
    };
    let _ = events.send((child, BeeEvent::Gone(how))).await;
}

/// How she ended, with her last words in the lines after that.
fn with_last_words(mut how: String, stderr: StderrTail, progress: &Progress) -> String {
    let words = last_words(stderr, progress, MAX_LAST_WORDS_BYTES);
    if !words.is_empty() {
        how.push('\n');
        how.push_str(&words);
    }
    how
}

struct Nurse {
    child: u32,
    process: ChildProcess,
    sender: FrameSender,
    handle: Arc<BeeHandle>,
    greeted: bool,
    /// She has said whether she could be made.
    made: bool,
    said_bye: bool,
    /// She ends, or has closed what she speaks through.
    hung_up: bool,
    watch: Watch,
    /// What the hive was told of that.
    silent: bool,
    /// Why she is ended, if she is.
    why: Option<String>,
}

impl Nurse {
    async fn attend(
        &mut self,
        mut receiver: FrameReceiver,
        writer: impl Future<Output = std::io::Result<()>>,
        spec: &SpawnSpec,
        events: &mpsc::Sender<(u32, BeeEvent)>,
    ) -> String {
        tokio::pin!(writer);
        // By when she has said hello, and then by when she is made.
        let patience = tokio::time::sleep(HELLO);
        tokio::pin!(patience);
        let mut beats = interval(spec.liveness.interval);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let handle = Arc::clone(&self.handle);
        let (mut reading, mut writing) = (true, true);
        let exit = loop {
            tokio::select! {
                // The writer first, so that what the last turn has brought is sent before anything is waited
                // for. It ends its turn by itself, and so does all else here: nobody starves.
                biased;
                _ = &mut writer, if writing => writing = false,
                exit = self.process.wait() => break exit,
                () = handle.killed.notified() => match handle.nonsense.get() {
                    Some(what) => reading &= self.nonsense(what),
                    None => self.process.kill(),
                },
                _ = beats.tick(), if self.greeted => {
                    self.on_beat(spec);
                    self.tell_silence(events).await;
                }
                () = room_and(&self.sender, handle.filled.notified()), if self.greeted => {
                    if let Some(frame) = handle.take() {
                        self.send(frame);
                    }
                }
                // Before what she says, of which there may be no end.
                () = &mut patience, if !self.made || self.hung_up => {
                    // This process may have been stopped meanwhile: what she has said since counts.
                    let greeted = self.greeted;
                    for _ in 0..MAX_WAITING {
                        let (true, Ok(Some(frame))) = (reading, receiver.recv_now()) else {
                            break;
                        };
                        reading = self.on_frame(frame, spec, events).await;
                    }
                    if self.greeted == greeted {
                        self.out_of_patience(spec.init_deadline);
                    }
                    patience.as_mut().reset(Instant::now() + spec.init_deadline);
                }
                frame = receiver.recv(), if reading => match frame {
                    Ok(Some(frame)) => {
                        let greeted = self.greeted;
                        reading = self.on_frame(frame, spec, events).await;
                        if self.greeted && !greeted {
                            patience.as_mut().reset(Instant::now() + spec.init_deadline);
                        }
                    }
                    Err(RecvError::Decode(error)) => reading = self.nonsense(&error.to_string()),
                    Ok(None) | Err(_) => {
                        // After a goodbye it is the exit's grace that counts.
                        (reading, self.hung_up) = (false, !self.said_bye);
                        patience.as_mut().reset(Instant::now() + HANG_UP_GRACE);
                    }
                },
            }
        };
        while let (true, Ok(Some(frame))) = (reading, receiver.recv_now()) {
            reading = self.on_frame(frame, spec, events).await;
        }
        let why = self.why.take();
        why.unwrap_or_else(|| format!("her process {exit}"))
    }

    /// She has not said hello, is not made, or has not ended, and had the time.
    fn out_of_patience(&mut self, init_deadline: Duration) {
        if self.hung_up {
            self.end("she hung up without ending, and was killed".into());
        } else if !self.greeted {
            self.end("she did not say hello; does `main` call `mt_beehive::init()` first?".into());
        } else if !self.made {
            self.end(format!(
                "her `new` took longer than {init_deadline:?} and she was killed"
            ));
        }
    }

    /// Gives a sign of life, and asks whether there was one.
    fn on_beat(&mut self, spec: &SpawnSpec) {
        let _ = self
            .sender
            .try_send(ToWorker::Beat(Beat::Alive).into_frame());
        let why = self.watch.check(&spec.events);
        self.handle.vitals.set_health(self.watch.health());
        if let Some(why) = why {
            self.end(why);
        }
    }

    /// Tells the hive when she falls silent, and when she no longer is.
    async fn tell_silence(&mut self, events: &mpsc::Sender<(u32, BeeEvent)>) {
        let silent = matches!(self.watch.health(), BeeHealth::Stopped | BeeHealth::Frozen);
        if silent != self.silent {
            self.silent = silent;
            let _ = events.send((self.child, BeeEvent::Silent(silent))).await;
        }
    }

    /// A full lane can't be: there was room, and nothing else goes there.
    fn send(&mut self, frame: Frame) {
        if let Err(SendError::Full) = self.sender.try_send(frame) {
            self.end("she does not read".into());
        }
    }

    fn end(&mut self, why: String) {
        self.why.get_or_insert(why);
        self.process.kill();
    }

    /// Takes in what she said; false when she is not listened to any more.
    async fn on_frame(
        &mut self,
        frame: Frame,
        spec: &SpawnSpec,
        events: &mpsc::Sender<(u32, BeeEvent)>,
    ) -> bool {
        self.watch.heard();
        self.tell_silence(events).await;
        if frame.kind == Kind::Hive && self.greeted {
            // The first thing she says is whether she is.
            self.made = true;
            let said = BeeEvent::Said(frame);
            return events.send((self.child, said)).await.is_ok();
        }
        match FromWorker::from_frame(frame) {
            Ok(FromWorker::Beat(beat)) if self.greeted => {
                self.watch.on_beat(beat);
                true
            }
            Ok(FromWorker::Notice(Notice::Trace { events, dropped })) if self.greeted => {
                let who = (self.child, self.process.id());
                spec.events.emit(who, events, dropped);
                true
            }
            Ok(FromWorker::Bye) if self.greeted => {
                self.said_bye = true;
                true
            }
            Ok(FromWorker::Notice(_)) if self.greeted => true,
            Ok(first) if !self.greeted => self.greet(first, spec),
            Ok(_) => self.nonsense("she spoke out of turn"),
            Err(error) => self.nonsense(&error.to_string()),
        }
    }

    fn nonsense(&mut self, what: &str) -> bool {
        self.end(format!(
            "she broke the protocol ({what}); her memory is probably corrupt"
        ));
        false
    }

    fn greet(&mut self, first: FromWorker, spec: &SpawnSpec) -> bool {
        let welcome = Welcome {
            worker: WorkerId(self.child),
            beat_interval: spec.liveness.interval,
        };
        match accept(&self.sender, first, fingerprint(), welcome) {
            Ok(_) => {
                self.greeted = true;
                self.watch.begin();
                self.send(Frame::new(Kind::BeeSetup, (spec.setup)(self.child)));
                true
            }
            Err(error) => {
                self.end(error.to_string());
                false
            }
        }
    }
}

/// Waiting for room in the send queue, and then for `what`. Cancel-safe if `what` is.
async fn room_and(sender: &FrameSender, what: impl Future<Output = ()>) {
    sender.bulk_below(LOADS).await;
    what.await;
}

#[cfg(test)]
mod tests {
    use mt_proto::{Round, TaskId};

    use super::*;

    #[test]
    fn whatever_waits_comes_in_frames_that_are_taken() {
        let handle = BeeHandle::default();
        let offer = |task| ToBee::NewTask {
            task_id: TaskId(task),
            round: Round(1),
        };
        for task in 0..20_000 {
            handle.say(&offer(task));
        }
        let frames = std::iter::from_fn(|| handle.take());
        let reply_tx: Vec<ToBee> = frames
            .flat_map(|frame| {
                let messages: Result<Vec<_>, _> = mt_proto::hive_messages(frame).collect();
                messages.expect("no more than a frame may hold")
            })
            .collect();
        assert!(
            reply_tx.into_iter().eq((0..20_000).map(offer)),
            "all, in order"
        );
    }
}
