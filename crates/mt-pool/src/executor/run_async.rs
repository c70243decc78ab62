//! The main thread of a worker whose task is an `async fn`: many items at once, inside a tokio runtime.
//!
//! Loop: one a worker. A call that is ready at its first poll costs no allocation: its place is used
//! again for the next one. One that has to wait moves, with its place, to the set of those that run.

use std::{
    collections::VecDeque,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
    time::Duration,
};

use futures::{
    future::LocalBoxFuture,
    poll,
    stream::{FuturesUnordered, StreamExt},
};
use mt_ipc::{Progress, Turn};
use mt_proto::{Attachments, Failure, ItemIndex, Records, Setup};
use tokio::{
    runtime::Runtime,
    sync::mpsc,
    task::LocalSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    context_batch::{ContextBatch, ContextOptions, CurrentBatch},
    gate::Gate,
    outbox::Outbox,
    reporter::{Encoded, Reporter},
    running::{Ended, Place, Running, RunningCall},
    tally,
    work::{Batch, Job, NoResult, SharedInputs, decode, expired},
};
use crate::{
    Task,
    current::Ambient,
    supervision::until,
    worker::{caught, drive_local, drop_caught},
};

/// Items started before the runtime gets its turn.
const STARTS_PER_TURN: u32 = 4096;
/// The most often the runtime turns by itself.
const SHORTEST_BEAT: Duration = Duration::from_millis(1);
/// Places kept for the next calls.
const SPARE_PLACES: usize = 64;

pub(super) fn run<T: Task>(mut job: Job, runtime: &Runtime, inputs: SharedInputs<T>) {
    let local = LocalSet::new();
    drive_local(runtime, &local, async {
        let mut runner = AsyncRunner::<T, _, _> {
            call: |context, shared, input| T::call(context, shared, input),
            inputs,
            batch: CurrentBatch::None,
            reporter: Reporter::new(job.setup.max_result_bytes, job.progress.clone()),
            todo: VecDeque::new(),
            running: FuturesUnordered::new(),
            closing: FuturesUnordered::new(),
            spare: Vec::new(),
            options: ContextOptions::of::<T>(&job.setup, &job.outbox, &job.progress),
            setup: &job.setup,
            started: 0,
            finished: 0,
            outbox: &job.outbox,
            progress: &job.progress,
            gate: &job.gate,
        };
        runner.run(&mut job.inbox, job.beat_interval).await;
        runner.inputs.drop();
    });
    drop_caught("a task that was left behind", local);
}

/// Items that came together and have not all been started.
struct Todo {
    next: ItemIndex,
    records: Records,
    /// What crosses beside them, if it is a single one.
    attachments: Attachments,
    start_by: Option<Instant>,
}

struct AsyncRunner<'a, T: Task, F, C> {
    call: C,
    inputs: SharedInputs<T>,
    batch: CurrentBatch<T::Context>,
    reporter: Reporter,
    todo: VecDeque<Todo>,
    running: FuturesUnordered<Running<'a, T, F>>,
    closing: FuturesUnordered<LocalBoxFuture<'a, ()>>,
    spare: Vec<Place<F>>,
    options: ContextOptions<'a>,
    setup: &'a Setup,
    started: u64,
    finished: u64,
    outbox: &'a Outbox,
    progress: &'a Progress,
    gate: &'a Gate,
}

impl<'a, T, F, C> AsyncRunner<'a, T, F, C>
where
    T: Task,
    F: Future<Output = Result<T::Output, T::Error>>,
    C: Fn(Rc<T::Context>, Rc<T::Shared>, T::Input) -> F,
{
    async fn run(&mut self, inbox: &mut mpsc::Receiver<Batch>, beat_interval: Duration) {
        // A runtime that has only to wait turns all the same, so that one that is blocked shows.
        let mut turns = interval(beat_interval.max(SHORTEST_BEAT));
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        loop {
            self.progress.turn();
            self.reporter.restart_watch();
            while let Ok(batch) = inbox.try_recv() {
                self.add(batch);
            }
            self.start_some().await;
            self.collect_ended().await;
            if self.can_start() {
                // More is ready, but the runtime's timers and sockets get their turn first.
                self.reporter.hand_over(self.outbox);
                tokio::task::yield_now().await;
                continue;
            }
            // Before the flush, which may find room again: then the arm for room is ready at once.
            let blocked = !self.reporter.room;
            self.reporter.flush(self.outbox);
            if !open && self.todo.is_empty() && self.running.is_empty() {
                break;
            }
            let shut = self
                .todo
                .front()
                .map(|todo| todo.next)
                .filter(|&next| !self.gate.lets(next));
            // All arms are cancel-safe: what is not taken stays in its set, channel or outbox.
            let due = self.todo.front().and_then(|todo| todo.start_by);
            tokio::select! {
                Some(ended) = self.running.next(), if !self.running.is_empty() => self.end_running(ended),
                Some(()) = self.closing.next(), if !self.closing.is_empty() => {}
                batch = inbox.recv(), if open && self.todo.is_empty() => match batch {
                    Some(batch) => self.add(batch),
                    None => open = false,
                },
                _ = turns.tick() => {}
                // Those that wait for a place need none once they have waited for too long.
                () = until(due), if due.is_some() && !blocked => {}
                () = self.gate.opened(shut.unwrap_or_default()), if shut.is_some() => {}
                () = self.outbox.room(), if blocked => {
                    self.reporter.room = true;
                }
            }
        }
        if let CurrentBatch::Open(batch) = std::mem::take(&mut self.batch) {
            self.close(batch);
        }
        // How long that may take is the run's to say; nothing turns meanwhile.
        self.progress.set_turns(0);
        while self.closing.next().await.is_some() {}
    }

    fn add(
        &mut self,
        Batch {
            items, start_by, ..
        }: Batch,
    ) {
        self.todo.push_back(Todo {
            next: items.first,
            records: Records::new(items.records),
            attachments: items.attachments,
            start_by,
        });
    }

    fn can_start(&self) -> bool {
        let expires = |todo: &Todo| expired(todo.start_by, self.setup.queue_deadline).is_some();
        let front = self.todo.front().filter(|_| self.reporter.room);
        front.is_some_and(|todo| self.may_start(todo.next) || expires(todo))
    }

    fn may_start(&self, index: ItemIndex) -> bool {
        self.gate.lets(index) && self.running.len() < self.setup.max_concurrency as usize
    }

    /// Starts what may be started, up to a turn's worth.
    async fn start_some(&mut self) {
        let mut left = STARTS_PER_TURN;
        while left > 0 && self.can_start() {
            if let CurrentBatch::None = self.batch {
                self.batch = self.open_batch().await;
                self.reporter.restart_watch();
            }
            let Some(mut todo) = self.todo.pop_front() else {
                return;
            };
            left = self.start_from(&mut todo, left);
            if !todo.records.is_empty() {
                self.todo.push_front(todo);
            }
        }
    }

    /// Opens a context, which is part of the call that it is opened for.
    async fn open_batch(&mut self) -> CurrentBatch<T::Context> {
        let progress = self.progress;
        let at = self.started;
        progress.set_started(at + 1);
        let open = ContextBatch::open(Rc::clone(&self.inputs.config), self.options);
        tokio::pin!(open);
        let open = std::future::poll_fn(|cx| {
            progress.enter(at);
            let polled = open.as_mut().poll(cx);
            progress.leave();
            polled
        });
        self.while_running(open).await
    }

    /// Starts up to `left` items, as long as there is an open batch, and returns what is left of
    /// `left`.
    fn start_from(&mut self, todo: &mut Todo, mut left: u32) -> u32 {
        while left > 0
            && !todo.records.is_empty()
            && !matches!(self.batch, CurrentBatch::None)
            && self.reporter.room
        {
            let index = todo.next;
            let late = expired(todo.start_by, self.setup.queue_deadline);
            if late.is_none() && !self.may_start(index) {
                break;
            }
            let beside = &todo.attachments;
            let started = todo.records.next_with(|_, value| {
                self.started += 1;
                self.progress.set_started(self.started);
                match late {
                    Some(late) => self.report(index, Err(late)),
                    None => self.start(index, value, beside),
                }
            });
            started
                .ok()
                .flatten()
                .expect("a piece was counted when it came in, and is not empty");
            todo.next = index.plus(1);
            self.place_taken();
            left -= 1;
        }
        self.progress.leave();
        left
    }

    /// Calls the function for one item and polls it once.
    #[inline]
    fn start(&mut self, index: ItemIndex, value: &[u8], beside: &Attachments) {
        let batch = match &self.batch {
            CurrentBatch::Open(batch) => batch,
            CurrentBatch::Failed(failure, _) => {
                return self.report(index, Err(failure.clone().into()));
            }
            CurrentBatch::None => unreachable!("a batch was opened before"),
        };
        let mut place = self.spare.pop().unwrap_or_else(|| Box::pin(None));
        let (inputs, call, reporter) = (&self.inputs, &self.call, &mut self.reporter);
        let soft = self.setup.soft_deadline;
        let due = soft.map(|limit| (limit, Instant::now() + limit));
        let ambient = Ambient {
            index,
            seed: self.setup.seed,
            soft_due: due.map(|(_, due)| due.into_std()),
        };
        let at = self.started - 1;
        self.progress.enter(at);
        reporter.stdout.begin(index);
        ambient.enter();
        let mut encoded = None;
        let polled = caught(|| {
            let input = decode::<T>(value, beside)?;
            place.set(Some(call(
                batch.context(),
                Rc::clone(&inputs.shared),
                input,
            )));
            // Whoever has to wait is polled again, with a real waker, as soon as it is in the set.
            let mut cx = PollContext::from_waker(Waker::noop());
            let future = place.as_mut().as_pin_mut().expect("set above");
            let polled = future.poll(&mut cx);
            Ok(polled.map(|result| {
                encoded = Some(reporter.encode(index, result));
                // What the call leaves behind is user code too; a panic there does not undo its result.
                place.set(None);
            }))
        });
        Ambient::leave();
        let none = match (polled, encoded.is_some()) {
            (Ok(Ok(Poll::Pending)), _) => {
                let batch = Rc::clone(batch);
                return self.run_on(ambient, at, (place, batch), due);
            }
            (Ok(Ok(Poll::Ready(()))), _) | (_, true) => None,
            (Ok(Err(none)), _) => Some(none),
            (Err(panic), _) => Some(NoResult::Panic(panic)),
        };
        if none.is_some() {
            let _ = caught(|| place.set(None));
        }
        let encoded = none.map_or_else(|| encoded.unwrap_or(Ok(())), Err);
        self.keep(place);
        self.report(index, encoded);
    }

    /// A call has to wait: it goes on among those that run.
    fn run_on(
        &mut self,
        ambient: Ambient,
        at: u64,
        (place, batch): (Place<F>, Rc<ContextBatch<T::Context>>),
        due: Option<(Duration, Instant)>,
    ) {
        tally::left(ambient.index);
        let began = self.reporter.call_began();
        self.reporter.restart_watch();
        self.running.push(Running {
            call: Some(RunningCall {
                ambient,
                at,
                place,
                batch,
                began,
            }),
            progress: self.progress,
            end: due.map(|(limit, due)| (limit, Box::pin(sleep_until(due)))),
        });
    }

    /// Takes note that an item went to the current batch, and closes the batch behind its last.
    fn place_taken(&mut self) {
        if !self.batch.take_place() {
            return;
        }
        if let CurrentBatch::Open(batch) = std::mem::take(&mut self.batch)
            && Rc::strong_count(&batch) == 1
        {
            self.close(batch);
        }
    }

    async fn collect_ended(&mut self) {
        while let Poll::Ready(Some(ended)) = poll!(self.running.next()) {
            self.end_running(ended);
        }
    }

    fn end_running(&mut self, (mut call, called): Ended<T, F>) {
        let index = call.ambient.index;
        let reporter = &mut self.reporter;
        let encoded = called.and_then(|result| caught(|| reporter.encode(index, result))?);
        let encoded = encoded.map_err(|none| self.settle(none));
        // What the call leaves behind is user code too; a panic there does not undo its result.
        let _ = caught(|| call.place.set(None));
        self.keep(call.place);
        self.reporter
            .report_waited(self.outbox, index, encoded, call.began);
        self.finished();
        self.end(call.batch);
    }

    fn keep(&mut self, place: Place<F>) {
        if self.spare.len() < SPARE_PLACES {
            self.spare.push(place);
        }
    }

    fn end(&mut self, batch: Rc<ContextBatch<T::Context>>) {
        let is_current =
            matches!(&self.batch, CurrentBatch::Open(current) if Rc::ptr_eq(current, &batch));
        if !is_current && Rc::strong_count(&batch) == 1 {
            self.close(batch);
        }
    }

    fn report(&mut self, index: ItemIndex, encoded: Encoded) {
        let encoded = encoded.map_err(|none| self.settle(none));
        self.reporter.report(self.outbox, index, encoded);
        self.finished();
    }

    /// Why an item has no result. What is looked up for a panic is nobody's time, neither the call's, which is over, nor
    /// that of those that wait for the thread.
    #[cold]
    fn settle(&mut self, none: NoResult) -> Box<Failure> {
        let panic = match none {
            NoResult::Failure(failure) => return failure,
            NoResult::Panic(panic) => panic,
        };
        let began = Instant::now();
        self.progress.enter(Turn::NOBODYS);
        let failure = Box::new(panic.into());
        self.progress.leave();
        let spent = began.elapsed();
        for running in self.running.iter_mut() {
            running.forgive(spent);
        }
        failure
    }

    fn finished(&mut self) {
        self.finished += 1;
        self.progress.set_finished(self.finished);
    }

    fn close(&mut self, batch: Rc<ContextBatch<T::Context>>) {
        self.closing.push(Box::pin(batch.close(self.options)));
    }

    /// Awaits a future without holding up the calls that run.
    async fn while_running<R>(&mut self, future: impl Future<Output = R>) -> R {
        tokio::pin!(future);
        if let Poll::Ready(result) = poll!(&mut future) {
            return result;
        }
        self.reporter.hand_over(self.outbox);
        loop {
            tokio::select! {
                result = &mut future => return result,
                Some(ended) = self.running.next(), if !self.running.is_empty() => {
                    self.end_running(ended);
                    self.reporter.flush(self.outbox);
                }
                Some(()) = self.closing.next(), if !self.closing.is_empty() => {}
            }
        }
    }
}
