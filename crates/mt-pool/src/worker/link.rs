//! The worker's end of the connection: handshake, items in, outcomes out, heartbeats.
//!
//! Loop: one a worker, on a thread of its own that runs no user code.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use bytes::Bytes;
use mt_ipc::{Attached, FrameReceiver, FrameSender, Progress, QueueLimits, greet};
use mt_proto::{
    Beat, FromWorker, ItemIndex, Kind, Limits, Notice, Segment, Setup, ToWorker, WorkerBeat,
};
use tokio::{
    runtime::Builder,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::trace::{Journal, Pace, TraceBatch, due};
use crate::{
    executor::{Load, Outbox},
    registry,
    role::{self, RoleLink, RoleWork},
};

/// How long results may gather while the user's code is busy.
const GATHER: Duration = Duration::from_millis(1);
/// The loads of results on the way to the operating system at once.
const LOADS: usize = 4;

/// What the main thread is given to do.
pub(crate) enum Assignment {
    /// A pool's items.
    Pool(Box<PoolWork>),
    /// Something else.
    Role(RoleWork),
}

/// A pool's items.
#[derive(Debug)]
pub(crate) struct PoolWork {
    pub(crate) setup: Setup,
    pub(crate) inbox: mpsc::Receiver<Batch>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) progress: Progress,
    pub(crate) beat_interval: Duration,
}

/// Items that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) run: Segment,
    /// Those that are not started by then are not to be started.
    pub(crate) start_by: Option<Instant>,
}

/// How the link ended.
#[derive(Debug)]
pub(crate) enum LinkEnd {
    /// All is sent.
    Done,
    /// The parent is gone, or there never was one; or it does not want this worker.
    Broken(String),
}

/// Runs the link until all is sent and nothing more comes, or the parent is gone. `assign` gets the work,
/// each time there is some.
pub(crate) fn run(assign: impl FnMut(Assignment) + Send + 'static) -> LinkEnd {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return LinkEnd::Broken(error.to_string()),
    };
    let link = async {
        match mt_ipc::attach() {
            Ok(attached) => converse(attached, assign).await,
            Err(error) => LinkEnd::Broken(error.to_string()),
        }
    };
    // A task: woken from within, it goes on at once, where a runtime's first future would wait for a look at
    // the poller.
    let link = runtime.block_on(async { tokio::spawn(link).await });
    link.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
}

async fn converse(attached: Attached, mut assign: impl FnMut(Assignment) + Send) -> LinkEnd {
    let Attached {
        connection,
        progress,
        ..
    } = attached;
    let (sender, mut receiver, writer) = connection.open(Limits::default(), QueueLimits::default());
    let writer = writer.run();
    tokio::pin!(writer);
    let hung_up = || LinkEnd::Broken("the parent hung up".into());
    let welcome = tokio::select! {
        welcome = greet(&sender, &mut receiver, registry::fingerprint()) => welcome,
        _ = &mut writer => return hung_up(),
    };
    let beat_interval = match welcome {
        Ok(welcome) => welcome.beat_interval,
        Err(error) => return LinkEnd::Broken(error.to_string()),
    };
    let mut rested = false;
    loop {
        let setup = tokio::select! {
            setup = next_setup(&mut receiver) => setup,
            _ = &mut writer => return hung_up(),
        };
        let setup = match setup {
            Ok(Next::Pool(setup)) => *setup,
            Ok(Next::Role(body)) => {
                let link = RoleLink {
                    sender: sender.clone(),
                    receiver,
                    beat_interval,
                    progress: progress.clone(),
                };
                return play(body, link, assign, &sender, writer).await;
            }
            Ok(Next::Go) if rested => return say_bye(&sender, writer).await,
            Ok(Next::Go) => return LinkEnd::Broken("the parent has no use for us".into()),
            Err(error) => return LinkEnd::Broken(error),
        };
        let (work, mut link) =
            Link::new(setup, (sender.clone(), receiver), &progress, beat_interval);
        assign(Assignment::Pool(Box::new(work)));
        let end = link.run(writer.as_mut(), beat_interval).await;
        link.outbox.close();
        link.send_trace();
        match end {
            Some(end) => return end,
            None if link.resting => rest(&sender, &progress),
            None => return say_bye(&sender, writer).await,
        }
        receiver = link.receiver;
        rested = true;
    }
}

/// What the parent wants of the worker.
enum Next {
    Pool(Box<Setup>),
    /// What the role is told, encoded.
    Role(Bytes),
    /// Nothing; it should go.
    Go,
}

/// Plays another role than a pool's worker, to its end.
async fn play(
    body: Bytes,
    link: RoleLink,
    mut assign: impl FnMut(Assignment) + Send,
    sender: &FrameSender,
    mut writer: std::pin::Pin<&mut (impl Future<Output = std::io::Result<()>> + Send)>,
) -> LinkEnd {
    let Some(role) = role::registered() else {
        return LinkEnd::Broken("the parent wants a bee, and this program has none".into());
    };
    let (work, talk) = (role.start)(body, link);
    assign(Assignment::Role(work));
    let talked = tokio::select! {
        // What was said is sent in the same turn. The writer's turns are not counted: it would find them used up.
        biased;
        talked = talk => talked,
        _ = tokio::task::coop::unconstrained(writer.as_mut()) => Err("the parent hung up".into()),
    };
    match talked {
        Ok(()) => say_bye(sender, writer).await,
        Err(error) => LinkEnd::Broken(error),
    }
}

/// Waits for what the parent wants.
async fn next_setup(receiver: &mut FrameReceiver) -> Result<Next, String> {
    loop {
        let frame = receiver.recv().await.map_err(|error| error.to_string())?;
        let frame = frame.ok_or("the parent hung up before it said what to do")?;
        if frame.kind == Kind::BeeSetup {
            return Ok(Next::Role(frame.into_body()));
        }
        match ToWorker::from_frame(frame).map_err(|error| error.to_string())? {
            ToWorker::Setup(setup) => return Ok(Next::Pool(Box::new(setup))),
            ToWorker::Beat(Beat::Alive) => {}
            ToWorker::Beat(Beat::Die) => return Ok(Next::Go),
            ToWorker::Welcome(_)
            | ToWorker::Refused(_)
            | ToWorker::Patience(_)
            | ToWorker::Items(_)
            | ToWorker::Rest => return Err("the parent spoke out of turn".into()),
        }
    }
}

/// Starts counting over, and only then says so: the parent must not take old counts for new ones.
fn rest(sender: &FrameSender, progress: &Progress) {
    progress.set_started(0);
    progress.set_finished(0);
    progress.clear_notes();
    let slowest = progress.slowest().into_iter();
    let slowest = slowest.map(|(index, time)| (ItemIndex(index), time));
    let slowest: Vec<_> = slowest.collect();
    progress.clear_slowest();
    if !slowest.is_empty() {
        let slowest = Notice::Slowest(slowest);
        let _ = sender.try_send(FromWorker::Notice(slowest).into_frame());
    }
    let _ = sender.try_send(FromWorker::Rested.into_frame());
}

async fn say_bye(
    sender: &FrameSender,
    writer: std::pin::Pin<&mut (impl Future<Output = std::io::Result<()>> + Send)>,
) -> LinkEnd {
    let _ = sender.try_send(FromWorker::Bye.into_frame());
    sender.close();
    match writer.await {
        Ok(()) => LinkEnd::Done,
        Err(error) => LinkEnd::Broken(error.to_string()),
    }
}

struct Link {
    sender: FrameSender,
    receiver: FrameReceiver,
    /// Dropped when the parent says die: the main thread then finishes what it has.
    items: Option<mpsc::Sender<Batch>>,
    /// How long the next items may wait.
    patience: Option<Duration>,
    outbox: Arc<Outbox>,
    progress: Progress,
    /// The events to send, if the parent wants any.
    journal: Option<&'static Journal>,
    pace: Pace,
    beat: Beat,
    /// Whether there was nothing at the last look.
    was_quiet: bool,
    /// What comes when all is done: a rest, or the end.
    resting: bool,
}

/// Waits for room in the send queue and then for `what`: without room, results stay in the outbox,
/// which holds the user's code back, until the parent reads. Cancel-safe if `what` is.
async fn room_and(sender: &FrameSender, what: impl Future<Output = ()>) {
    sender.bulk_below(LOADS).await;
    what.await;
}

impl Link {
    /// The link of a setup, and what the main thread gets of it.
    fn new(
        setup: Setup,
        (sender, receiver): (FrameSender, FrameReceiver),
        progress: &Progress,
        beat_interval: Duration,
    ) -> (PoolWork, Self) {
        let (items, inbox) = mpsc::channel(setup.max_pieces.max(1) as usize);
        let outbox = Arc::new(Outbox::default());
        let journal = Journal::open(setup.trace, progress);
        let work = PoolWork {
            setup,
            inbox,
            outbox: Arc::clone(&outbox),
            progress: progress.clone(),
            beat_interval,
        };
        let link = Self {
            sender,
            receiver,
            items: Some(items),
            patience: None,
            outbox,
            progress: progress.clone(),
            journal,
            pace: Pace::default(),
            beat: Beat::Alive,
            was_quiet: false,
            resting: false,
        };
        (work, link)
    }

    /// Moves frames until all is sent; returns an end that came before.
    async fn run(
        &mut self,
        mut writer: std::pin::Pin<&mut (impl Future<Output = std::io::Result<()>> + Send)>,
        beat_interval: Duration,
    ) -> Option<LinkEnd> {
        let mut beats = interval(beat_interval.max(Duration::from_millis(1)));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When to look into the outbox again without being told; set while results keep coming.
        let mut look_again: Option<Instant> = None;
        loop {
            let look_at = look_again.unwrap_or_else(Instant::now);
            // All arms are cancel-safe; the writer is not dropped.
            let done = tokio::select! {
                frame = self.receiver.recv() => {
                    if let Err(end) = self.on_frame(frame.map_err(|error| error.to_string())) {
                        return Some(end);
                    }
                    false
                }
                () = room_and(&self.sender, self.outbox.woken()) => {
                    look_again.get_or_insert_with(|| Instant::now() + GATHER);
                    self.was_quiet = false;
                    let load = self.outbox.take(false);
                    self.send_load(load)
                }
                () = room_and(&self.sender, sleep_until(look_at)), if look_again.is_some() => {
                    self.look(&mut look_again)
                }
                () = room_and(&self.sender, due(self.journal, &self.pace)) => {
                    self.send_trace();
                    false
                }
                _ = beats.tick() => {
                    self.send_beat();
                    false
                }
                _ = writer.as_mut() => {
                    return Some(LinkEnd::Broken("the parent reads no more".into()));
                }
            };
            if done {
                return None;
            }
        }
    }

    fn on_frame(&mut self, frame: Result<Option<mt_proto::Frame>, String>) -> Result<(), LinkEnd> {
        let hung_up = || LinkEnd::Broken("the parent hung up".into());
        let frame = frame.map_err(LinkEnd::Broken)?.ok_or_else(hung_up)?;
        let broken = |error: mt_proto::DecodeError| LinkEnd::Broken(error.to_string());
        match ToWorker::from_frame(frame).map_err(broken)? {
            ToWorker::Patience(time) => {
                self.patience = Some(time);
                Ok(())
            }
            ToWorker::Items(run) => {
                let patience = self.patience.take();
                let Some(items) = &self.items else {
                    return Ok(());
                };
                let start_by = patience.map(|time| Instant::now() + time);
                let full = |_| LinkEnd::Broken("the parent sent more than it had room for".into());
                let batch = Batch { run, start_by };
                items.try_send(batch).map_err(full)
            }
            ToWorker::Beat(Beat::Alive) => Ok(()),
            ToWorker::Beat(Beat::Die) => {
                self.items = None;
                self.resting = false;
                Ok(())
            }
            ToWorker::Rest => {
                self.resting = self.items.take().is_some();
                Ok(())
            }
            ToWorker::Welcome(_) | ToWorker::Refused(_) | ToWorker::Setup(_) => {
                Err(LinkEnd::Broken("the parent spoke out of turn".into()))
            }
        }
    }

    /// Looks into the outbox without having been told and sends what is there; true when that was the
    /// last. Results that come alone are announced and leave at once; while they keep coming, they
    /// are looked for once a millisecond instead of each being announced.
    fn look(&mut self, look_again: &mut Option<Instant>) -> bool {
        self.outbox.count_look();
        let load = self.outbox.take(false);
        if load.is_empty() && !load.done && !self.was_quiet && self.outbox.is_gathering() {
            // Once more: two looks during one call tell that it is a slow one among quick ones.
            self.was_quiet = true;
            *look_again = Some(Instant::now() + GATHER);
            return false;
        }
        self.was_quiet = false;
        if load.is_empty() && !load.done {
            // A quiet millisecond: be told of the next one. What came in between is not missed.
            let late = self.outbox.take(true);
            *look_again = None;
            return self.send_load(late);
        }
        *look_again = Some(Instant::now() + GATHER);
        self.send_load(load)
    }

    /// Sends a load of results; true when it was the last.
    fn send_load(&mut self, load: Load) -> bool {
        for frame in load.frames {
            // Whoever can't be set up goes.
            self.resting &= frame.kind != Kind::SetupFailed;
            let _ = self.sender.try_send(frame);
        }
        if !load.runs.is_empty() {
            let _ = self.sender.try_send_encoded(load.runs);
        }
        load.done
    }

    fn send_trace(&mut self) {
        let batch = self
            .journal
            .and_then(|journal| journal.take(&mut self.pace));
        if let Some(TraceBatch { events, dropped }) = batch {
            let notice = FromWorker::Notice(Notice::Trace { events, dropped });
            let _ = self.sender.try_send(notice.into_frame());
        }
    }

    fn send_beat(&self) {
        let beat = WorkerBeat {
            beat: self.beat,
            started: self.progress.started(),
            finished: self.progress.finished(),
            turns: self.progress.turns(),
        };
        // A full control lane means that the parent does not read; it will find out by itself.
        let _ = self.sender.try_send(FromWorker::Beat(beat).into_frame());
    }
}
