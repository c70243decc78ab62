//! The main thread of a worker that serves a pool's calls: of any task, plain and async ones side by side.
//!
//! Loop: one a worker. A plain function is called outside any runtime, so that it may block and use one of its own;
//! calls of `async fn`s go on between two of these.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    rc::Rc,
    task::{Context as PollContext, Poll, ready},
    time::Instant,
};

use futures::{
    poll,
    stream::{FuturesUnordered, StreamExt},
};
use mt_ipc::Progress;
use mt_proto::{Attachments, Failure, FromWorker, ItemIndex, Records, Setup};
use tokio::{runtime::Runtime, sync::mpsc, task::LocalSet};

use super::{
    call_target::{Begun, CallTarget, Returned},
    context_batch::ContextOptions,
    outbox::Outbox,
    reporter::{Encoded, Reporter},
    tally,
    work::{Batch, Job, NoResult, expired},
};
use crate::{
    current::Ambient,
    registry,
    task::TaskStyle,
    worker::{Panic, caught, drive_local, drop_caught},
};

/// The name that a setup has for the calls of a pool, in place of a task's.
pub(crate) const CALLS: &str = "mt_pool::calls";
/// The bytes in front of a call's input: the number of its task.
const NUMBER_BYTES: usize = size_of::<u32>();

/// Serves calls until none come any more and all are done.
pub(super) fn serve(job: Job, runtime: &Rc<Runtime>) {
    let Job {
        setup,
        mut inbox,
        outbox,
        progress,
        ..
    } = job;
    outbox.say(FromWorker::Ready.into_frame());
    let local = LocalSet::new();
    let mut runner = CallRunner {
        runtime,
        local: &local,
        options: ContextOptions::of_items(u32::MAX, &setup, &outbox, &progress),
        setup: &setup,
        outbox: &outbox,
        progress: &progress,
        reporter: Reporter::new(setup.max_result_bytes, progress.clone()),
        targets: BTreeMap::new(),
        todo: VecDeque::new(),
        running: FuturesUnordered::new(),
        turns: false,
        started: 0,
        finished: 0,
    };
    runner.run(&mut inbox);
    drop(runner);
    drop_caught("a task that was left behind", local);
}

/// Calls that came together and have not all been started.
struct CallBatch {
    next: ItemIndex,
    records: Records,
    attachments: Attachments,
    start_by: Option<tokio::time::Instant>,
}

struct CallRunner<'a> {
    runtime: &'a Runtime,
    local: &'a LocalSet,
    setup: &'a Setup,
    outbox: &'a Outbox,
    progress: &'a Progress,
    options: ContextOptions<'a>,
    reporter: Reporter,
    /// The tasks that were called here, by their numbers.
    targets: BTreeMap<u32, Box<dyn CallTarget>>,
    todo: VecDeque<CallBatch>,
    running: FuturesUnordered<AsyncCall<'a>>,
    /// Whether the runtime has to turn while there is nothing to do: something async was called.
    turns: bool,
    started: u64,
    finished: u64,
}

impl CallRunner<'_> {
    fn run(&mut self, inbox: &mut mpsc::Receiver<Batch>) {
        let mut open = true;
        loop {
            while let Ok(batch) = inbox.try_recv() {
                self.add(batch);
            }
            let has_started = self.start_next();
            if !self.running.is_empty() {
                self.turn();
            }
            if has_started {
                continue;
            }
            self.reporter.flush(self.outbox);
            if !open && self.todo.is_empty() && self.running.is_empty() {
                break;
            }
            open &= self.wait(inbox, open);
            self.reporter.restart_watch();
        }
        for target in std::mem::take(&mut self.targets).into_values() {
            drive_local(self.runtime, self.local, target.close(self.options));
        }
    }

    fn add(&mut self, Batch { items, start_by }: Batch) {
        self.todo.push_back(CallBatch {
            next: items.first,
            records: Records::new(items.records),
            attachments: items.attachments,
            start_by,
        });
    }

    /// Starts a call, if one may be.
    fn start_next(&mut self) -> bool {
        if !self.reporter.room || self.running.len() >= self.setup.max_concurrency as usize {
            return false;
        }
        let Some(mut todo) = self.todo.pop_front() else {
            return false;
        };
        let index = todo.next;
        let late = expired(todo.start_by, self.setup.queue_deadline);
        let taken = todo.records.next_with(|_, value| {
            self.started += 1;
            self.progress.set_started(self.started);
            match late {
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
                self.turns = true;
                self.running.push(AsyncCall {
                    ambient,
                    at,
                    began: self.reporter.call_began(),
                    begun: Some(begun),
                    progress: self.progress,
                });
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
        let (number, input) = value
            .split_first_chunk::<NUMBER_BYTES>()
            .ok_or_else(nobody)?;
        let number = u32::from_le_bytes(*number);
        let target = target(&mut self.targets, number)?;
        if let Some(open) = target.open(self.options) {
            drive_local(self.runtime, self.local, open)?;
        }
        ambient.enter();
        let reporter = &mut self.reporter;
        let called = match target.style() {
            TaskStyle::Sync => {
                caught(|| target.call(reporter, ambient.index, input, beside)).map(Started::Over)
            }
            TaskStyle::Async => caught(|| target.begin(input, beside))
                .map(|begun| begun.map_or_else(|none| Started::Over(Err(none)), Started::Runs)),
        };
        Ambient::leave();
        Ok(called?)
    }

    /// Lets the calls that run go on, and takes in those that have ended.
    fn turn(&mut self) {
        let running = &mut self.running;
        let ended = drive_local(self.runtime, self.local, async {
            let mut ended = Vec::new();
            while let Poll::Ready(Some(one)) = poll!(running.next()) {
                ended.push(one);
            }
            if ended.is_empty() {
                tokio::task::yield_now().await;
            }
            ended
        });
        for one in ended {
            self.end(one);
        }
    }

    /// Waits until there is something to do; false when no more calls come.
    fn wait(&mut self, inbox: &mut mpsc::Receiver<Batch>, open: bool) -> bool {
        let blocked = !self.reporter.room;
        if !self.turns && !blocked {
            let batch = inbox.blocking_recv();
            let is_open = batch.is_some();
            batch.into_iter().for_each(|batch| self.add(batch));
            return is_open;
        }
        let (running, outbox) = (&mut self.running, self.outbox);
        let may_take = open && self.todo.is_empty();
        let came = drive_local(self.runtime, self.local, async {
            // All arms are cancel-safe: what is not taken stays in its set, channel or outbox.
            tokio::select! {
                Some(ended) = running.next(), if !running.is_empty() => Came::Over(ended),
                batch = inbox.recv(), if may_take => Came::Batch(batch),
                () = outbox.room(), if blocked => Came::Room,
            }
        });
        match came {
            Came::Over(ended) => self.end(ended),
            Came::Room => self.reporter.room = true,
            Came::Batch(Some(batch)) => self.add(batch),
            Came::Batch(None) => return false,
        }
        open
    }

    fn end(&mut self, ended: EndedCall) {
        let EndedCall {
            index,
            began,
            returned,
        } = ended;
        let reporter = &mut self.reporter;
        let encoded = returned.and_then(|returned| caught(|| returned(reporter, index))?);
        let encoded = encoded.map_err(settled);
        self.reporter
            .report_waited(self.outbox, index, encoded, began);
        self.finished();
    }

    fn report(&mut self, index: ItemIndex, encoded: Encoded) {
        let encoded = encoded.map_err(settled);
        self.reporter.report(self.outbox, index, encoded);
        self.finished();
    }

    fn finished(&mut self) {
        self.finished += 1;
        self.progress.set_finished(self.finished);
    }
}

fn settled(none: NoResult) -> Box<Failure> {
    match none {
        NoResult::Failure(failure) => failure,
        NoResult::Panic(panic) => Box::new(panic.into()),
    }
}

/// What a call came to when it was started.
enum Started {
    Over(Encoded),
    Runs(Begun),
}

/// What was waited for.
enum Came {
    Over(EndedCall),
    Batch(Option<Batch>),
    Room,
}

/// The task with a number, as calls find it here.
fn target(
    targets: &mut BTreeMap<u32, Box<dyn CallTarget>>,
    number: u32,
) -> Result<&mut Box<dyn CallTarget>, NoResult> {
    use std::collections::btree_map::Entry;
    match targets.entry(number) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            let task = registry::by_number(number).ok_or_else(nobody)?;
            let target = caught(task.target)?.ok_or_else(nobody)?;
            Ok(entry.insert(target.0))
        }
    }
}

#[cold]
fn nobody() -> NoResult {
    let message = "a call of no task of this program that takes no shared value".to_owned();
    Failure::Undecodable { message }.into()
}

/// A call of an `async fn`, until its end.
struct AsyncCall<'a> {
    ambient: Ambient,
    at: u64,
    began: Instant,
    begun: Option<Begun>,
    progress: &'a Progress,
}

/// A call that has ended, and what it has returned.
struct EndedCall {
    index: ItemIndex,
    began: Instant,
    returned: Result<Returned, NoResult>,
}

impl Future for AsyncCall<'_> {
    type Output = EndedCall;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<EndedCall> {
        let (progress, at, ambient) = (self.progress, self.at, self.ambient);
        let begun = self.begun.as_mut().expect("polled after its end");
        progress.enter(at);
        ambient.enter();
        let polled = caught(|| begun.as_mut().poll(cx));
        progress.leave();
        Ambient::leave();
        tally::left(ambient.index);
        let returned = match polled {
            Ok(polled) => Ok(ready!(polled)),
            Err(panic) => Err(NoResult::Panic(panic)),
        };
        if let Some(begun) = self.begun.take() {
            // What the call leaves behind is user code too; a panic there does not undo its result.
            let dropped: Result<(), Panic> = caught(|| drop(begun));
            drop(dropped);
        }
        Poll::Ready(EndedCall {
            index: ambient.index,
            began: self.began,
            returned,
        })
    }
}
