//! The executor's end of its link: items in, outcomes out.
//!
//! Loop: one an assignment, on the link's thread, which runs no user code.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use mt_ipc::{FrameSender, Progress};
use mt_proto::{
    Failure, Frame, FromExecutor, Heading, ItemIndex, Kind, Notice, RecordTag, SegmentWriter,
    Setup, ToExecutor, decode_strict,
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    gate::Gate,
    job,
    outbox::{Load, Outbox},
    run_calls::CALLS,
    unbegun::Unbegun,
    work::{Batch, Changes, Job, TargetChange},
};
use crate::{
    register_role,
    supervision::{room_and, until},
    worker::{Incoming, NotSetUp, Pause, RoleEnd, RoleLink, RoleSession, RoleWork, tick_after},
};

pub(crate) const EXECUTOR: &str = "mt_pool::executor";

/// The most words on items that nobody waits for any more that wait for the user's code: twice what a worker of calls may
/// have, because some of these may have ended meanwhile. None may be left, or a call that only waits would do so for ever.
pub(crate) const WITHDRAWN: usize = 2 * (8 * 1024 + 64);
/// Results that come as slowly as this are told one by one. A little less than they may gather, so that those of tasks
/// of twenty milliseconds are not told now in one way and now in the other.
const SLOW: Duration = Duration::from_millis(15);
/// A worker that beats more often than this reads all that comes when it comes.
const SLOW_BEAT: Duration = Duration::from_millis(100);

register_role!(EXECUTOR, start);

fn start(body: Bytes, mut link: RoleLink) -> (RoleWork, RoleSession) {
    // a value of ours.
    let setup: Setup = match decode_strict(&body) {
        Ok(setup) => setup,
        Err(error) => {
            let why = format!("the parent's setup of an executor does not decode: {error}");
            return (
                Box::new(|| Err(NotSetUp)),
                Box::pin(async move { Err(why) }),
            );
        }
    };
    let at_once = setup.task == CALLS;
    let (items, inbox) = mpsc::channel(setup.max_pieces.max(1) as usize);
    let (withdraw, withdrawn) = mpsc::channel(WITHDRAWN);
    let unbegun = Arc::<Unbegun>::default();
    let outbox = Arc::new(Outbox::new(Arc::clone(&link.pause), Arc::clone(&link.lead)));
    let job = Job {
        setup,
        withdrawn,
        unbegun: Arc::clone(&unbegun),
        attachments: mem::take(&mut link.attachments),
        inbox,
        outbox: Arc::clone(&outbox),
        lead: Arc::clone(&link.lead),
        gate: Gate {
            progress: link.progress.clone(),
            moved: Arc::clone(&link.beaten),
        },
        progress: link.progress.clone(),
        beat_interval: link.beat_interval,
    };
    let session = ExecutorSession {
        sender: link.sender.clone(),
        items: Some(items),
        withdraw,
        unbegun,
        patience: None,
        changes: Changes::default(),
        outbox,
        at_once,
        pauses: !at_once && link.beat_interval >= SLOW_BEAT,
        pause: Arc::clone(&link.pause),
        progress: link.progress.clone(),
        received: 0,
        finished: 0,
        finished_in_tick: 0,
        was_quiet: false,
        look_again: None,
        left: None,
        resting: false,
    };
    let work = move || job::run(job);
    (Box::new(work), Box::pin(session.run(link)))
}

struct ExecutorSession {
    sender: FrameSender,
    /// Dropped when the parent says die or rest: the main thread then finishes what it has.
    items: Option<mpsc::Sender<Batch>>,
    withdraw: mpsc::Sender<ItemIndex>,
    /// Kept for calls only.
    unbegun: Arc<Unbegun>,
    /// How long the next items may wait.
    patience: Option<Duration>,
    /// What changes before the next items.
    changes: Changes,
    outbox: Arc<Outbox>,
    /// Whether every result is told of: somebody waits for it.
    at_once: bool,
    /// Whether the link may pause while there is work.
    pauses: bool,
    pause: Arc<Pause>,
    progress: Progress,
    /// Items that came.
    received: u64,
    /// Items that were finished at the last look, and between the last two.
    finished: u64,
    finished_in_tick: u64,
    /// Whether there was nothing at the last look.
    was_quiet: bool,
    /// When to look into the outbox again without being told; set while results keep coming.
    look_again: Option<Instant>,
    /// When results last left.
    left: Option<Instant>,
    /// What comes when all is done: a rest, or the end.
    resting: bool,
}

impl ExecutorSession {
    async fn run(mut self, mut link: RoleLink) -> Result<RoleEnd, String> {
        let done = self.converse(&mut link).await;
        self.pause.call_off();
        self.outbox.close();
        done?;
        if !self.resting {
            return Ok(RoleEnd::Done);
        }
        send_slowest(&self.sender, &link.progress);
        Ok(RoleEnd::Rested(link))
    }

    async fn converse(&mut self, link: &mut RoleLink) -> Result<(), String> {
        let sender = self.sender.clone();
        let (outbox, pause) = (Arc::clone(&self.outbox), Arc::clone(&self.pause));
        let lead = Arc::clone(&link.lead);
        loop {
            let pauses = self.pause_while_fed();
            let look_at = self.look_again.filter(|_| !pauses);
            // All arms are cancel-safe. Without room, results stay in the outbox, which holds the user's code
            // back, until the parent reads.
            let done = tokio::select! {
                incoming = link.recv() => {
                    self.on_incoming(incoming?)?;
                    false
                }
                () = room_and(&sender, outbox.woken()) => self.on_told(),
                () = room_and(&sender, lead.taken_over()), if self.at_once => self.on_told(),
                () = room_and(&sender, until(look_at)), if look_at.is_some() => self.look(),
                () = room_and(&sender, pause.over()), if pauses => self.look_at_tick(),
            };
            if done {
                return Ok(());
            }
        }
    }

    fn on_incoming(&mut self, incoming: Incoming) -> Result<(), String> {
        match incoming {
            Incoming::Frame(frame) => return self.on_frame(frame),
            Incoming::Die => (self.items, self.resting) = (None, false),
            Incoming::Rest => self.resting = self.items.take().is_some(),
        }
        Ok(())
    }

    fn on_frame(&mut self, frame: Frame) -> Result<(), String> {
        match ToExecutor::from_frame(frame).map_err(|error| error.to_string())? {
            ToExecutor::Patience(time) => {
                self.patience = Some(time);
                Ok(())
            }
            ToExecutor::Withdraw(item) => {
                self.withdraw(item);
                Ok(())
            }
            ToExecutor::Prepare(preparation, beside) => {
                let change = TargetChange::Prepare(preparation, beside);
                self.changes.push(change)
            }
            ToExecutor::Forget(id) => self.changes.push(TargetChange::Forget(id)),
            ToExecutor::Items(items) => {
                let patience = self.patience.take();
                let changes = self.changes.take();
                let Some(inbox) = &self.items else {
                    return Ok(());
                };
                if self.at_once {
                    self.unbegun.add(self.received, &items);
                }
                self.received += u64::from(items.count);
                let start_by = patience.map(|time| Instant::now() + time);
                let full = |_| "the parent sent more than it had room for".to_owned();
                let batch = Batch {
                    items,
                    start_by,
                    changes,
                };
                inbox.try_send(batch).map_err(full)
            }
        }
    }

    /// A call that was not begun is given back at once, whatever keeps the main thread. One that was is that thread's.
    fn withdraw(&self, call: ItemIndex) {
        if !self.unbegun.give_back(call) {
            let _ = self.withdraw.try_send(call);
            return;
        }
        let mut outcome = SegmentWriter::new();
        let heading = Heading::of(RecordTag::Failure);
        let pushed = outcome.push_outcome(call, heading, &Failure::Cancelled, usize::MAX);
        pushed.expect("a failure without text always encodes");
        self.outbox.publish(&mut outcome);
        self.outbox.flush();
    }

    /// Sends what is in the outbox. Results that come slowly are told of, each; those that keep coming are looked for.
    fn on_told(&mut self) -> bool {
        let now = Instant::now();
        let last = self.left.replace(now);
        // While quick ones are gathered, a slow one among them is told by looks.
        let is_slow = self.at_once
            || last.is_none_or(|last| now - last >= SLOW)
                && self.look_again.is_none()
                && !self.outbox.is_gathering();
        if !is_slow {
            self.look_again.get_or_insert_with(|| tick_after(now));
        }
        self.was_quiet = false;
        let load = self.outbox.take(is_slow);
        self.send_load(load)
    }

    /// Looks if it is time to: a pause may end when a timer has ended it already.
    fn look_at_tick(&mut self) -> bool {
        let due = self.look_again.is_some_and(|time| time <= Instant::now());
        due && self.look()
    }

    /// Leaves what comes where it is until the next look, if there is work for longer than that.
    fn pause_while_fed(&self) -> bool {
        let Some(look_at) = self.look_again.filter(|_| self.pauses && self.is_fed()) else {
            self.pause.call_off();
            return false;
        };
        // The user's code ends the pause when it has nothing to do, so first the pause and then the look at what it
        // has.
        self.pause.begin(look_at);
        let fed = self.is_fed();
        if !fed {
            self.pause.call_off();
        }
        fed
    }

    fn is_fed(&self) -> bool {
        let has = self.received.saturating_sub(self.progress.finished());
        let needs = self.finished_in_tick + self.finished_in_tick / 4;
        needs > 0 && has >= needs
    }

    /// Looks into the outbox without having been told and sends what is there; true when that was the
    /// last. Results that come alone are announced and leave at once; while they keep coming, they
    /// are looked for every twenty milliseconds instead of each being announced.
    fn look(&mut self) -> bool {
        self.outbox.count_look();
        let load = self.outbox.take(false);
        if load.is_empty() && !load.done && !self.was_quiet && self.outbox.is_gathering() {
            // Once more: two looks during one call tell that it is a slow one among quick ones.
            self.was_quiet = true;
            self.look_again = Some(tick_after(Instant::now()));
            return false;
        }
        self.was_quiet = false;
        if load.is_empty() && !load.done {
            // A quiet time: be told of the next one. What came in between is not missed.
            let late = self.outbox.take(true);
            self.look_again = None;
            return self.send_load(late);
        }
        let now = Instant::now();
        self.left = Some(now);
        self.look_again = Some(tick_after(now));
        let finished = self.progress.finished();
        self.finished_in_tick = finished.saturating_sub(mem::replace(&mut self.finished, finished));
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
}

/// Tells the slowest items before they are forgotten.
fn send_slowest(sender: &FrameSender, progress: &Progress) {
    let slowest = progress.slowest().into_iter();
    let slowest = slowest.map(|(index, time)| (ItemIndex(index), time));
    let slowest: Vec<_> = slowest.collect();
    progress.clear_slowest();
    if !slowest.is_empty() {
        let slowest = FromExecutor::Notice(Notice::Slowest(slowest));
        let _ = sender.try_send(slowest.into_frame());
    }
}
