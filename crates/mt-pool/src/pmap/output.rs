//! Outcomes as they come out of a run.

use std::{
    marker::PhantomData,
    mem,
    ops::Deref,
    task::{Context, Poll, ready},
};

use mt_proto::{Attachments, CapturedStdout, DecodeError, ItemIndex, decode_guarded, guarded};

use super::{
    dead_letter::DeadLetters,
    handle::RunHandle,
    hook::ProgressHook,
    live_run::LiveRun,
    outcome::{OpenSegment, Outcome, apart_outcome, decode_outcome},
};
use crate::{
    Task,
    dispatch::Delivery,
    driver::DeliveryReceiver,
    events::PoolEvents,
    input::RunInput,
    stats::{RunProgress, Stats},
    wait::{held_up, stream},
};

/// A run that goes on: a `Stream` of outcomes, one for every item of the input, and by
/// [`into_iter`](IntoIterator::into_iter) an iterator that blocks.
///
/// The stream ends when the input has ended and every item has its outcome; by then every worker process is
/// gone, or waits in its [`Pool`](crate::Pool) for the next run. Dropping it cancels the run: workers are killed
/// with everything they have started, and are gone when the drop returns (it waits for them, typically some
/// milliseconds and at most 1 s). Inside a task of a tokio runtime, which other tasks need, the drop does not wait:
/// workers are killed all the same, some milliseconds later; [`cancel_and_wait`](Self::cancel_and_wait), or a
/// [`RunHandle::wait`] after the drop, tells when they are gone. `spawn_blocking`, `block_in_place` and threads of your
/// own are no such tasks; other executors, and `tokio::task::unconstrained`, can't be told from a thread, and there the
/// drop waits.
///
/// `I` is the [input](RunInput), for its lifetime alone: to name the type of a run that is in no [`scope`](crate::scope()),
/// `Pmap<T>` is enough.
#[must_use = "dropping a run cancels it"]
pub struct Pmap<T: Task, I = RunInput<'static>> {
    run: LiveRun,
    outcomes: DeliveryReceiver,
    current: Option<OpenSegment>,
    /// The item whose outcome was taken last.
    index: ItemIndex,
    /// What it has printed, where that is captured.
    stdout: CapturedStdout,
    dead_letters: DeadLetters,
    hook: Option<ProgressHook>,
    over: bool,
    /// Whether the exchange was told that whoever waits for an outcome holds up a runtime.
    holds_up: bool,
    task: PhantomData<fn() -> T>,
    input: PhantomData<fn() -> I>,
}

impl<T: Task, I> Pmap<T, I> {
    pub(super) fn new(run: LiveRun, outcomes: DeliveryReceiver) -> Self {
        Self {
            run,
            outcomes,
            current: None,
            index: ItemIndex(0),
            stdout: CapturedStdout::default(),
            dead_letters: DeadLetters::default(),
            hook: None,
            over: false,
            holds_up: false,
            task: PhantomData,
            input: PhantomData,
        }
    }

    /// A handle that watches this run, and ends it, from elsewhere.
    #[must_use]
    pub fn handle(&self) -> RunHandle {
        self.run.handle.clone()
    }

    /// What the items' random numbers are made from: what was given as
    /// [`seed`](crate::AsynPmap::seed), or what was chosen.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.run.seed
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
        let (values, dropped) = self.run.collected.take();
        if dropped > 0 {
            let _ = guarded(|| {
                tracing::warn!(dropped, "there was no room for the values of exit hooks");
            });
        }
        values.iter().map(|value| decode_guarded(value)).collect()
    }

    /// The next outcome; `None` when there are no more.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<Outcome<T>> {
        std::future::poll_fn(|cx| self.poll_outcome(cx)).await
    }

    /// Ends the run as a drop does, and waits until every worker of it is gone, or left to its [`Pool`](crate::Pool).
    ///
    /// Dropped before it has ended, the run is cancelled all the same. Works on any executor, and blocks no thread.
    pub async fn cancel_and_wait(self) {
        self.run.end_and_wait().await;
    }

    /// The same run as a stream of `(index, outcome)`: with
    /// [`ordered(false)`](crate::AsynPmap::ordered) it tells which item an outcome is of.
    pub fn indexed(self) -> Indexed<T, I> {
        Indexed { run: self }
    }

    /// The same run as a stream of `(outcome, stdout)`: what each item has written to its worker's standard output, whether
    /// it has succeeded or not. For runs whose workers [capture](crate::WorkerStdout::Capture) it; otherwise it is empty.
    ///
    /// ```
    /// # // Case M263: What an item prints comes with its outcome.
    /// use mt_pool::{WorkerStdout, asyn_pmap, limits::WorkerOptions};
    ///
    /// #[mt_pool::task]
    /// fn double(n: u32) -> u32 {
    ///     println!("doubling {n}");
    ///     2 * n
    /// }
    ///
    /// #[mt_pool::main]
    /// fn main() -> anyhow::Result<()> {
    ///     let captured = WorkerOptions::new().stdout(WorkerStdout::Capture);
    ///     let run = asyn_pmap::<double>(0..10).workers(captured).start()?;
    ///     for (n, (outcome, stdout)) in run.with_stdout().into_iter().enumerate() {
    ///         assert_eq!(outcome? as usize, 2 * n);
    ///         assert_eq!(stdout.text(), format!("doubling {n}\n"));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn with_stdout(mut self) -> WithStdout<T, I> {
        // What was taken before has had its chance.
        self.stdout = CapturedStdout::default();
        WithStdout { run: self }
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.run.handle.stats()
    }

    /// How far the run is, how fast, and how long it will take.
    #[must_use]
    pub fn progress(&self) -> RunProgress {
        self.run.handle.progress()
    }

    /// Calls `report` with the [progress](Self::progress) while outcomes are taken, on the thread that takes
    /// them: at once, then about every 10 to 50 ms if outcomes come that often, before the taker has to
    /// wait, and at the end. It replaces the one that was set before.
    ///
    /// Quick outcomes are not slowed down by it: it is called after up to 256 of them. A panic of it, which is shown
    /// as every panic is, changes nothing.
    pub fn on_progress(mut self, report: impl FnMut(&RunProgress) + Send + 'static) -> Self {
        self.hook = Some(ProgressHook::new(Box::new(report)));
        self.tell_progress();
        self
    }

    fn tell_progress(&mut self) {
        if let Some(hook) = &mut self.hook {
            hook.call(&self.run.handle.progress());
        }
    }

    /// What happens to the run's workers, from its start on.
    #[must_use]
    pub fn events(&self) -> PoolEvents {
        self.run.handle.events()
    }

    pub(crate) fn fails_fast(&self) -> bool {
        self.run.fail_fast
    }

    #[inline]
    pub(crate) fn poll_indexed(&mut self, cx: &mut Context<'_>) -> Poll<Option<(u64, Outcome<T>)>> {
        let polled = self.poll_outcome(cx);
        polled.map(|taken| taken.map(|outcome| (self.index.0, outcome)))
    }

    fn poll_with_stdout(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(Outcome<T>, CapturedStdout)>> {
        let polled = self.poll_outcome(cx);
        polled.map(|taken| taken.map(|outcome| (outcome, mem::take(&mut self.stdout))))
    }

    /// The index stays here, so that a short outcome is returned in registers.
    #[inline]
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outcome<T>>> {
        match self.take_current() {
            Some(outcome) => Poll::Ready(Some(outcome)),
            None => self.poll_delivery(cx),
        }
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outcome<T>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if mem::take(&mut self.holds_up) {
            self.run.consumer.set_blocked(None);
        }
        let polled = self.outcomes.poll_recv(cx);
        if polled.is_pending()
            && let Some(runtime) = held_up()
        {
            self.holds_up = true;
            self.run.consumer.set_blocked(Some(runtime));
        }
        if polled.is_pending() && self.hook.as_ref().is_some_and(ProgressHook::is_behind) {
            self.tell_progress();
        }
        Poll::Ready(match ready!(polled) {
            None => {
                self.run.assert_complete();
                self.end();
                None
            }
            Some(Delivery::Results(segment)) => {
                self.current = Some(OpenSegment::new(segment));
                self.take_current()
            }
            Some(Delivery::Apart(apart)) => {
                self.run.consumer.on_consumed(1, apart.len_bytes());
                let index = apart.index;
                self.stdout = apart.printed();
                let outcome = apart_outcome::<T>(*apart);
                Some(self.yielded(index, outcome))
            }
        })
    }

    /// The next outcome of those that came together.
    #[inline]
    fn take_current(&mut self) -> Option<Outcome<T>> {
        let current = self.current.as_mut()?;
        let index = current.next;
        let stdout = &mut self.stdout;
        let decoded = current.records.next_tallied(|tag, tally, value| {
            if !tally.is_empty() {
                *stdout = tally.stdout();
            }
            decode_outcome::<T>(index, tag, tally, value, &Attachments::NONE)
        });
        if let Some(emptied) = current.step() {
            self.current = None;
            let (items, bytes) = (emptied.items.into(), emptied.bytes);
            self.run.consumer.on_consumed(items, bytes);
        }
        // The records were counted and measured when they came in.
        let outcome = decoded
            .ok()
            .flatten()
            .expect("as many records as the run's count");
        Some(self.yielded(index, outcome))
    }

    fn yielded(&mut self, index: ItemIndex, outcome: Outcome<T>) -> Outcome<T> {
        self.index = index;
        let stats = &self.run.handle.stats;
        match &outcome {
            Ok(_) => stats.count_succeeded(),
            Err(error) => {
                stats.count_failed(error.is_cancelled());
                self.dead_letters.note(error);
                if self.run.fail_fast {
                    self.stop();
                }
            }
        }
        if !self.over && self.hook.as_mut().is_some_and(ProgressHook::step) {
            self.tell_progress();
        }
        outcome
    }

    /// Nothing more comes out.
    fn end(&mut self) {
        self.over = true;
        self.run.handle.stats.set_over();
        self.tell_progress();
    }

    /// Ends the run: nothing more comes out.
    fn stop(&mut self) {
        self.end();
        self.current = None;
        self.outcomes.close();
        self.run.consumer.cancel();
    }
}

stream!([T: Task, I] Pmap<T, I> => Outcome<T>, |run, cx| run.poll_outcome(cx));

impl<T: Task, I> std::fmt::Debug for Pmap<T, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pmap")
            .field("task", &T::NAME)
            .field("stats", &self.stats())
            .finish()
    }
}

/// A run as a stream of `(index, outcome)`. Made by [`Pmap::indexed`]. What the run tells about itself, this tells
/// too.
#[derive(Debug)]
#[must_use = "dropping a run cancels it"]
pub struct Indexed<T: Task, I = RunInput<'static>> {
    run: Pmap<T, I>,
}

impl<T: Task, I> Indexed<T, I> {
    /// The next outcome with the index of its item; `None` when there are no more.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<(u64, Outcome<T>)> {
        std::future::poll_fn(|cx| self.run.poll_indexed(cx)).await
    }
}

impl<T: Task, I> Deref for Indexed<T, I> {
    type Target = Pmap<T, I>;

    fn deref(&self) -> &Pmap<T, I> {
        &self.run
    }
}

stream!([T: Task, I] Indexed<T, I> => (u64, Outcome<T>), |indexed, cx| indexed.run.poll_indexed(cx));

/// A run as a stream of `(outcome, stdout)`. Made by [`Pmap::with_stdout`]. What the run tells about itself, this tells
/// too.
#[derive(Debug)]
#[must_use = "dropping a run cancels it"]
pub struct WithStdout<T: Task, I = RunInput<'static>> {
    run: Pmap<T, I>,
}

impl<T: Task, I> WithStdout<T, I> {
    /// The next outcome with what its item has printed; `None` when there are no more. The item's index is known of an
    /// [`ordered`](crate::AsynPmap::ordered) run by counting, and of every error.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<(Outcome<T>, CapturedStdout)> {
        std::future::poll_fn(|cx| self.run.poll_with_stdout(cx)).await
    }
}

impl<T: Task, I> Deref for WithStdout<T, I> {
    type Target = Pmap<T, I>;

    fn deref(&self) -> &Pmap<T, I> {
        &self.run
    }
}

stream!([T: Task, I] WithStdout<T, I> => (Outcome<T>, CapturedStdout), |stream, cx| stream.run.poll_with_stdout(cx));
