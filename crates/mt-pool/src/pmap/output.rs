//! Outcomes as they come out of a run.

use std::{
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::Stream;
use mt_proto::{DecodeError, ItemIndex, Records, decode_strict};
use tokio::sync::mpsc;

use super::{
    dead_letter::DeadLetters,
    handle::RunHandle,
    hook::ProgressHook,
    iter::{IndexedIter, PmapIter},
    outcome::{Outcome, apart_outcome, decode_outcome},
    plan::Launched,
};
use crate::{
    Pool, Task, TaskErrorKind,
    dispatch::Delivery,
    driver::{Collected, Supervision},
    events::{EventLog, PoolEvents},
    input::{ConsumerEnd, RunControl},
    stats::{RunProgress, Stats, StatsCell},
    wait::wait_here,
};

/// How long dropping a run waits for its workers to be gone. They are killed, so it takes a few
/// milliseconds; one in an uninterruptible system call is left to the guard thread.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// A run that goes on: a `Stream` of outcomes, one for every item of the input, and by
/// [`into_iter`](IntoIterator::into_iter) an iterator that blocks.
///
/// It ends when the input has ended and every item has its outcome; by then every worker process is
/// gone, or waits in its [`Pool`] for the next run. Dropping it cancels the run: workers are killed with everything they have started, and are
/// gone when the drop returns (it waits for them, typically some milliseconds and at most 1 s).
#[must_use = "dropping a run cancels it"]
pub struct Pmap<T: Task> {
    outcomes: mpsc::Receiver<Delivery>,
    current: Option<Current>,
    consumer: ConsumerEnd,
    control: RunControl,
    stats: Arc<StatsCell>,
    events: Arc<EventLog>,
    supervision: Supervision,
    fail_fast: bool,
    collected: Arc<Collected>,
    seed: u64,
    #[expect(dead_code, reason = "kept as long as the run uses its workers")]
    pool: Option<Pool>,
    dead_letters: DeadLetters,
    hook: Option<ProgressHook>,
    over: bool,
    task: PhantomData<fn() -> T>,
}

/// A delivery that is being taken apart.
#[derive(Debug)]
struct Current {
    records: Records,
    next: ItemIndex,
    left: u32,
    items: u32,
    bytes: usize,
}

impl<T: Task> Pmap<T> {
    pub(super) fn new(launched: Launched) -> Self {
        let Launched {
            outcomes,
            consumer,
            control,
            stats,
            events,
            supervision,
            fail_fast,
            collected,
            seed,
            pool,
        } = launched;
        Self {
            outcomes,
            current: None,
            consumer,
            control,
            stats,
            events,
            supervision,
            fail_fast,
            collected,
            seed,
            pool,
            dead_letters: DeadLetters::default(),
            hook: None,
            over: false,
            task: PhantomData,
        }
    }

    /// A handle that watches this run, and ends it, from elsewhere.
    #[must_use]
    pub fn handle(&self) -> RunHandle {
        RunHandle {
            control: self.control.clone(),
            stats: Arc::clone(&self.stats),
            events: Arc::clone(&self.events),
        }
    }

    /// What the items' random numbers are made from: what was given as
    /// [`seed`](crate::AsynPmap::seed), or what was chosen.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The items yielded so far that were given up: those that killed their workers, ran past their hard
    /// deadline or used too much memory.
    #[must_use]
    pub fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    /// What the [`exit`](crate::AsynPmap::exit) hook has returned in workers that have gone, since this was
    /// last asked; all of it once the run has ended. At most 4096 values are kept. `E` is the hook.
    ///
    /// # Errors
    /// Each value by itself: [`DecodeError`] when it is not what `E` returns.
    pub fn exit_values<E: Task>(&self) -> Vec<Result<E::Output, DecodeError>> {
        let (values, dropped) = self.collected.take();
        if dropped > 0 {
            tracing::warn!(dropped, "there was no room for the values of exit hooks");
        }
        values.iter().map(|value| decode_strict(value)).collect()
    }

    /// The next outcome; `None` when there are no more.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<Outcome<T>> {
        std::future::poll_fn(|cx| self.poll_indexed(cx))
            .await
            .map(|(_, outcome)| outcome)
    }

    /// The same run as a stream of `(index, outcome)`: with
    /// [`ordered(false)`](crate::AsynPmap::ordered) it tells which item an outcome is of.
    pub fn indexed(self) -> Indexed<T> {
        Indexed { run: self }
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle().stats()
    }

    /// How far the run is, how fast, and how long it will take.
    #[must_use]
    pub fn progress(&self) -> RunProgress {
        self.stats.progress(self.consumer.pulled())
    }

    /// Calls `report` with the [progress](Self::progress) while outcomes are taken, on the thread that takes
    /// them: at once, then about every 10 to 50 ms if outcomes come that often, before the taker has to
    /// wait, and at the end. It replaces the one that was set before.
    ///
    /// Quick outcomes are not slowed down by it: it is called after up to 256 of them.
    pub fn on_progress(mut self, report: impl FnMut(&RunProgress) + Send + 'static) -> Self {
        self.hook = Some(ProgressHook::new(Box::new(report)));
        self.tell_progress();
        self
    }

    fn tell_progress(&mut self) {
        let progress = self.stats.progress(self.consumer.pulled());
        if let Some(hook) = &mut self.hook {
            hook.call(&progress);
        }
    }

    /// What happens to the run's workers, from its start on.
    #[must_use]
    pub fn events(&self) -> PoolEvents {
        self.events.read()
    }

    /// The next outcome with its item's index, waiting for it on this thread.
    pub(super) fn next_blocking(&mut self) -> Option<(u64, Outcome<T>)> {
        if let Some(found) = self.take_current() {
            return Some(found);
        }
        wait_here(|cx| self.poll_indexed(cx))
    }

    pub(crate) fn poll_indexed(&mut self, cx: &mut Context<'_>) -> Poll<Option<(u64, Outcome<T>)>> {
        loop {
            if let Some(found) = self.take_current() {
                return Poll::Ready(Some(found));
            }
            if self.over {
                return Poll::Ready(None);
            }
            let polled = self.outcomes.poll_recv(cx);
            if polled.is_pending() && self.hook.as_ref().is_some_and(ProgressHook::is_behind) {
                self.tell_progress();
            }
            match ready!(polled) {
                None => {
                    // An end that is none must not look like one.
                    let complete = self.stats.is_complete();
                    assert!(
                        complete,
                        "bug in mt-pool: the supervisor of this run has panicked"
                    );
                    self.end();
                }
                Some(Delivery::Results(run)) => {
                    let bytes = run.records.len();
                    self.current = Some(Current {
                        records: Records::new(run.records),
                        next: run.first,
                        left: run.count,
                        items: run.count,
                        bytes,
                    });
                }
                Some(Delivery::Apart(apart)) => {
                    self.consumer.on_consumed(1, apart.len_bytes());
                    let index = apart.index;
                    let outcome = apart_outcome::<T>(*apart);
                    return Poll::Ready(Some(self.yielded(index, outcome)));
                }
            }
        }
    }

    /// The next outcome of the delivery at hand.
    #[inline]
    fn take_current(&mut self) -> Option<(u64, Outcome<T>)> {
        let current = self.current.as_mut()?;
        let index = current.next;
        let decoded = current
            .records
            .next_tallied(|tag, tally, value| decode_outcome::<T>(index, tag, tally, value));
        current.next = index.plus(1);
        current.left -= 1;
        if current.left == 0 {
            let (items, bytes) = (u64::from(current.items), current.bytes);
            self.current = None;
            self.consumer.on_consumed(items, bytes);
        }
        // The records were counted and measured when they came in.
        let outcome = decoded
            .ok()
            .flatten()
            .expect("as many records as the run's count");
        Some(self.yielded(index, outcome))
    }

    fn yielded(&mut self, index: ItemIndex, outcome: Outcome<T>) -> (u64, Outcome<T>) {
        match &outcome {
            Ok(_) => self.stats.count_succeeded(),
            Err(error) => {
                let is_cancelled = matches!(error.kind(), TaskErrorKind::Cancelled);
                self.stats.count_failed(is_cancelled);
                self.dead_letters.note(error);
                if self.fail_fast {
                    self.stop();
                }
            }
        }
        if !self.over && self.hook.as_mut().is_some_and(ProgressHook::step) {
            self.tell_progress();
        }
        (index.0, outcome)
    }

    /// Nothing more comes out.
    fn end(&mut self) {
        self.over = true;
        self.stats.set_over();
        self.tell_progress();
    }

    /// Ends the run: nothing more comes out.
    fn stop(&mut self) {
        self.end();
        self.current = None;
        self.outcomes.close();
        self.consumer.cancel();
    }
}

impl<T: Task> Stream for Pmap<T> {
    type Item = Outcome<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_indexed(cx)
            .map(|found| found.map(|(_, outcome)| outcome))
    }
}

impl<T: Task> IntoIterator for Pmap<T> {
    type Item = Outcome<T>;
    type IntoIter = PmapIter<T>;

    fn into_iter(self) -> PmapIter<T> {
        PmapIter { run: self }
    }
}

impl<T: Task> Drop for Pmap<T> {
    fn drop(&mut self) {
        self.stats.set_over();
        self.consumer.cancel();
        self.supervision.wait(DROP_WAIT);
    }
}

impl<T: Task> std::fmt::Debug for Pmap<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pmap")
            .field("task", &T::NAME)
            .field("stats", &self.stats())
            .finish()
    }
}

/// A run as a stream of `(index, outcome)`. Made by [`Pmap::indexed`].
#[derive(Debug)]
#[must_use = "dropping a run cancels it"]
pub struct Indexed<T: Task> {
    run: Pmap<T>,
}

impl<T: Task> Indexed<T> {
    /// The next outcome with the index of its item; `None` when there are no more.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<(u64, Outcome<T>)> {
        std::future::poll_fn(|cx| self.run.poll_indexed(cx)).await
    }

    /// A handle that watches this run, and ends it, from elsewhere.
    #[must_use]
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.run.stats()
    }

    /// The run itself: its handle, its dead letters, what its exit hooks have returned.
    pub fn run(&self) -> &Pmap<T> {
        &self.run
    }
}

impl<T: Task> Stream for Indexed<T> {
    type Item = (u64, Outcome<T>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.run.poll_indexed(cx)
    }
}

impl<T: Task> IntoIterator for Indexed<T> {
    type Item = (u64, Outcome<T>);
    type IntoIter = IndexedIter<T>;

    fn into_iter(self) -> IndexedIter<T> {
        IndexedIter { run: self.run }
    }
}
