//! The main thread of a worker that serves a pool's calls: of any task, plain and async ones side by side.
//!
//! Loop: one a worker. A plain function is called outside any runtime, so that it may block and use one of its own;
//! calls of `async fn`s go on between two of these.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
    time::{Duration, Instant},
};

use futures::{
    FutureExt, poll,
    stream::{FuturesUnordered, StreamExt},
};
use mt_ipc::{Progress, Turn};
use mt_proto::{Attachments, Failure, FromWorker, ItemIndex, Records, Setup};
use tokio::{runtime::Runtime, sync::mpsc, task::LocalSet};

use super::{
    async_call::{AsyncCall, EndedCall, Withdrawal},
    call_target::{Begun, Returned},
    context_batch::ContextOptions,
    outbox::Outbox,
    reporter::{Encoded, Reporter},
    targets::Targets,
    unbegun::Unbegun,
    work::{Batch, Job, NoResult, TargetChange, expired},
};
use crate::{
    current::Ambient,
    task::TaskStyle,
    worker::{Lead, caught, drive, drive_local, drop_caught},
};

/// The name that a setup has for the calls of a pool, in place of a task's.
pub(crate) const CALLS: &str = "mt_pool::calls";
/// How often a main thread that goes from call to call turns the link at most. Some microseconds are a twentieth of it.
const TURN: Duration = Duration::from_micros(100);
/// The calls that nobody had to wait for, one after the other, from which on the main thread turns the link.
const CALLS_AT_REST: u32 = 4;
/// How long closing the context of a prepared task may take that no call is of any more: as long as at the end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Serves calls until none come any more and all are done.
pub(super) fn serve(job: Job, runtime: &Rc<Runtime>) {
    let Job {
        setup,
        inbox,
        withdrawn,
        unbegun,
        outbox,
        progress,
        lead,
        ..
    } = job;
    outbox.say(FromWorker::Ready.into_frame());
    let mut runner = CallRunner {
        runtime,
        local: LocalSet::new(),
        lead: &lead,
        options: ContextOptions::of_items(u32::MAX, &setup, &outbox, &progress),
        setup: &setup,
        outbox: &outbox,
        progress: &progress,
        reporter: Reporter::new(setup.max_result_bytes, progress.clone()),
        inbox,
        withdrawn,
        unbegun: &unbegun,
        targets: Targets::default(),
        todo: VecDeque::new(),
        begun: None,
        running: FuturesUnordered::new(),
        withdrawals: BTreeMap::new(),
        at_rest: CALLS_AT_REST,
        turned: Instant::now(),
        started: 0,
        finished: 0,
    };
    runner.run();
    let CallRunner { local, running, .. } = runner;
    drop(running);
    drop_caught("a task that was left behind", local);
}

/// Calls that came together and have not all been started.
struct CallBatch {
    next: ItemIndex,
    records: Records,
    attachments: Attachments,
    start_by: Option<tokio::time::Instant>,
    /// What changes before the first.
    changes: Vec<TargetChange>,
}

struct CallRunner<'a> {
    runtime: &'a Runtime,
    local: LocalSet,
    lead: &'a Lead,
    setup: &'a Setup,
    outbox: &'a Outbox,
    progress: &'a Progress,
    options: ContextOptions<'a>,
    reporter: Reporter,
    inbox: mpsc::Receiver<Batch>,
    /// Calls that were begun, and that nobody waits for any more.
    withdrawn: mpsc::Receiver<ItemIndex>,
    unbegun: &'a Unbegun,
    /// The tasks that are called here.
    targets: Targets,
    todo: VecDeque<CallBatch>,
    /// The call of an `async fn` that was started and has not had its first turn. No other is started before: whatever a
    /// call does then, no other is to blame for it.
    begun: Option<AsyncCall<'a>>,
    running: FuturesUnordered<AsyncCall<'a>>,
    withdrawals: BTreeMap<ItemIndex, Withdrawal>,
    /// The calls since one that was waited for.
    at_rest: u32,
    /// When the link was turned last.
    turned: Instant,
    started: u64,
    finished: u64,
}

impl CallRunner<'_> {
    fn run(&mut self) {
        let mut open = true;
        loop {
            self.hear();
            let has_started = self.start_next();
            if !self.running.is_empty() || self.begun.is_some() {
                self.turn();
            }
            if has_started {
                self.send_in_time();
                continue;
            }
            self.reporter.hand_over(self.outbox);
            if !open && self.todo.is_empty() && self.running.is_empty() {
                break;
            }
            open &= match open && self.may_lead() {
                true => self.lead(),
                false => self.wait(open),
            };
            self.turned = self.reporter.restart_watch();
        }
        self.lead.leave();
        self.outbox.flush();
        for target in self.targets.take_all() {
            drive_local(self.runtime, &self.local, target.close(self.options));
        }
    }

    /// Takes in what has come.
    fn hear(&mut self) {
        while let Ok(call) = self.withdrawn.try_recv() {
            self.withdraw(call);
        }
        while let Ok(batch) = self.inbox.try_recv() {
            self.add(batch);
        }
    }

    fn add(&mut self, batch: Batch) {
        let Batch {
            items,
            start_by,
            changes,
        } = batch;
        self.todo.push_back(CallBatch {
            next: items.first,
            records: Records::new(items.records),
            attachments: items.attachments,
            start_by,
            changes,
        });
    }

    /// Nobody waits for a call any more: it is dropped, unless it has ended.
    fn withdraw(&self, call: ItemIndex) {
        if let Some(running) = self.withdrawals.get(&call) {
            running.withdraw();
        }
    }

    /// Starts a call, if one may be.
    fn start_next(&mut self) -> bool {
        // The parent sends no more calls of `async fn`s than may run at once, and a plain one waits for none of them.
        if !self.reporter.room {
            return false;
        }
        let Some(mut todo) = self.todo.pop_front() else {
            return false;
        };
        for change in todo.changes.drain(..) {
            self.targets.change(change);
        }
        self.close_forgotten();
        let index = todo.next;
        let late = expired(todo.start_by, self.setup.queue_deadline);
        let taken = todo.records.next_with(|_, value| {
            let is_ours = self.unbegun.begin(self.started);
            self.started += 1;
            self.progress.set_started(self.started);
            match late {
                // The link has said what becomes of it.
                _ if !is_ours => self.finished(),
                Some(late) => self.report(index, Err(late)),
                None => self.start(index, value, &todo.attachments),
            }
        });
        taken
            .ok()
            .flatten()
            .expect("a piece was counted when it came in, and is not empty");
        todo.next = index.plus(1);
        if !todo.records.is_empty() {
            self.todo.push_front(todo);
        }
        true
    }

    fn start(&mut self, index: ItemIndex, value: &[u8], beside: &Attachments) {
        let at = self.started - 1;
        self.progress.enter(at);
        let ambient = Ambient {
            index,
            seed: self.setup.seed,
            soft_due: None,
        };
        let called = self.call(ambient, value, beside);
        self.progress.leave();
        match called {
            Ok(Started::Over(encoded)) => self.report(index, encoded),
            Ok(Started::Runs(begun)) => {
                let began = self.reporter.call_began();
                let call = AsyncCall::new((ambient, at), began, begun, self.progress);
                self.begun = Some(call);
            }
            Err(none) => self.report(index, Err(none)),
        }
    }

    fn call(
        &mut self,
        ambient: Ambient,
        value: &[u8],
        beside: &Attachments,
    ) -> Result<Started, NoResult> {
        let (target, input) = self.targets.find(value)?;
        if let Some(open) = target.open(self.options) {
            drive_local(self.runtime, &self.local, open)?;
        }
        ambient.enter();
        let reporter = &mut self.reporter;
        let called = match target.style() {
            TaskStyle::Sync => {
                reporter.stdout.begin(ambient.index);
                caught(|| target.call(reporter, ambient.index, input, beside)).map(Started::Over)
            }
            TaskStyle::Async => caught(|| target.begin(input, beside))
                .map(|begun| begun.map_or_else(|none| Started::Over(Err(none)), Started::Runs)),
        };
        Ambient::leave();
        Ok(called?)
    }

    /// Closes what no call is of any more.
    fn close_forgotten(&mut self) {
        while let Some(target) = self.targets.pop_idle() {
            let closing = target.close(self.options.within(CLOSE_LIMIT));
            drive_local(self.runtime, &self.local, closing);
        }
    }

    /// Lets the calls that run go on, and takes in those that have ended.
    fn turn(&mut self) {
        let (begun, running) = (self.begun.take(), &mut self.running);
        let withdrawals = &mut self.withdrawals;
        let (at_once, ended) = drive_local(self.runtime, &self.local, async {
            let (mut at_once, mut ended) = (None, Vec::new());
            if let Some(mut call) = begun {
                // Whoever has to wait is polled again, with a real waker, as soon as it is in the set.
                let mut cx = PollContext::from_waker(Waker::noop());
                match call.poll_unpin(&mut cx) {
                    Poll::Ready(one) => at_once = Some(one),
                    Poll::Pending => {
                        withdrawals.insert(call.index(), call.withdrawal());
                        running.push(call);
                    }
                }
            }
            while let Poll::Ready(Some(one)) = poll!(running.next()) {
                ended.push(one);
            }
            wake_yielded().await;
            (at_once, ended)
        });
        if let Some(one) = at_once {
            let encoded = self.encoded(one.index, one.returned);
            self.report(one.index, encoded);
        }
        for one in ended {
            self.end(one);
        }
        self.close_forgotten();
    }

    fn encoded(&mut self, index: ItemIndex, returned: Result<Returned, NoResult>) -> Encoded {
        let reporter = &mut self.reporter;
        returned.and_then(|returned| caught(|| returned(reporter, index))?)
    }

    /// Sends what was made while more calls wait, unless that is what takes the time, or the link's thread does it.
    fn send_in_time(&mut self) {
        let now = self.reporter.call_began();
        if now - self.turned < TURN || !self.lead.is_mains() {
            return;
        }
        self.turned = now;
        let outbox = self.outbox;
        self.lead.turn(async {
            outbox.flush();
            tokio::task::yield_now().await;
        });
    }

    /// Whether nothing is left on this thread's own runtime that would stand still while the link's is turned.
    fn may_lead(&mut self) -> bool {
        let is_idle = self.reporter.room
            && self.running.is_empty()
            && self.at_rest >= CALLS_AT_REST
            && self.runtime.metrics().num_alive_tasks() == 0;
        let local = &mut self.local;
        is_idle
            && drive(self.runtime, async {
                let is_over = poll!(local).is_ready();
                if !is_over {
                    wake_yielded().await;
                }
                is_over
            })
    }

    /// Waits for calls by turning the link; false when no more come.
    fn lead(&mut self) -> bool {
        let (inbox, outbox) = (&mut self.inbox, self.outbox);
        let batch = self.lead.turn(async {
            outbox.flush();
            inbox.recv().await
        });
        let is_open = batch.is_some();
        batch.into_iter().for_each(|batch| self.add(batch));
        is_open
    }

    /// Waits until there is something to do; false when no more calls come.
    fn wait(&mut self, open: bool) -> bool {
        self.lead.leave();
        self.outbox.flush();
        self.at_rest = 0;
        let blocked = !self.reporter.room;
        let (running, outbox) = (&mut self.running, self.outbox);
        let (inbox, withdrawn) = (&mut self.inbox, &mut self.withdrawn);
        let may_take = open && self.todo.is_empty();
        let came = drive_local(self.runtime, &self.local, async {
            // All arms are cancel-safe: what is not taken stays in its set, channel or outbox.
            let came = tokio::select! {
                Some(ended) = running.next(), if !running.is_empty() => CallNews::Over(ended),
                batch = inbox.recv(), if may_take => CallNews::Batch(batch),
                Some(call) = withdrawn.recv() => CallNews::Withdrawn(call),
                () = outbox.room(), if blocked => CallNews::Room,
            };
            wake_yielded().await;
            came
        });
        match came {
            CallNews::Over(ended) => {
                self.end(ended);
                self.close_forgotten();
            }
            CallNews::Room => self.reporter.room = true,
            CallNews::Withdrawn(call) => self.withdraw(call),
            CallNews::Batch(Some(batch)) => self.add(batch),
            CallNews::Batch(None) => return false,
        }
        open
    }

    fn end(&mut self, ended: EndedCall) {
        let EndedCall {
            index,
            began,
            returned,
        } = ended;
        self.withdrawals.remove(&index);
        let encoded = self.encoded(index, returned);
        let encoded = encoded.map_err(|none| self.settle(none));
        self.reporter
            .report_waited(self.outbox, index, encoded, began);
        self.finished();
    }

    fn report(&mut self, index: ItemIndex, encoded: Encoded) {
        let encoded = encoded.map_err(|none| self.settle(none));
        self.reporter.report(self.outbox, index, encoded);
        self.finished();
    }

    /// Why a call has no result. What is looked up for a panic is no part of the call: that is over.
    #[cold]
    fn settle(&self, none: NoResult) -> Box<Failure> {
        match none {
            NoResult::Failure(failure) => failure,
            NoResult::Panic(panic) => {
                self.progress.enter(Turn::NOBODYS);
                let failure = Box::new(panic.into());
                self.progress.leave();
                failure
            }
        }
    }

    fn finished(&mut self) {
        self.finished += 1;
        self.at_rest = self.at_rest.saturating_add(1);
        self.progress.set_finished(self.finished);
    }
}

/// Lets the runtime turn once. Of those that have only yielded it keeps the wakers until then, and forgets them when what
/// drives it ends before: they would wait for ever.
async fn wake_yielded() {
    tokio::task::yield_now().await;
}

/// What a call came to when it was started.
enum Started {
    Over(Encoded),
    Runs(Begun),
}

/// What was waited for.
enum CallNews {
    Over(EndedCall),
    Batch(Option<Batch>),
    Withdrawn(ItemIndex),
    Room,
}
