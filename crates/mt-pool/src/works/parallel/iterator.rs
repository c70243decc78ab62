//! Works 0, 1, 2 … and their results, as an iterator that threads share.

use std::{
    fmt,
    iter::FusedIterator,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{counters::WorkCounters, error::PopError, pooled::Pooled, serial_mode::Serial};
use crate::{
    Task, TaskError,
    stats::Stats,
    works::null::{KeepNull, NullPolicy},
};

/// Does the works 0, 1, 2 … for ever, in worker processes and a few ahead of you, and yields their
/// results as they are ready.
///
/// An item is a work's number and its outcome: a work that fails, panics or kills its worker is an item, and
/// the iteration goes on. Works that may come to nothing return an `Option`; with
/// [`skip_null`](super::WorkIteratorBuilder::skip_null) `None`s are left out. An item is [`PopError::Empty`] when no
/// outcome came in [time](super::WorkIteratorBuilder::pop_timeout), and the iteration goes on then too.
///
/// A shared reference is the iterator: threads that share one get different works.
///
/// The iteration ends after [`num_works`](super::WorkIteratorBuilder::num_works) if that was given, after
/// [`close`](Self::close), after Ctrl-C, and when no worker can be had. Dropping it closes it. Nobody has
/// to close it before the process ends.
///
/// ```
/// use mt_pool::WorkIterator;
///
/// #[mt_pool::task]
/// fn prime(n: u64) -> Option<u64> {
///     (n > 1 && (2..n).all(|m| n % m > 0)).then_some(n)
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let primes = WorkIterator::<prime>::builder().skip_null().start()?;
///     let mut first = Vec::new();
///     for item in primes.iter().take(5) {
///         let (_work_id, prime) = item?;
///         first.push(prime?);
///     }
///     assert_eq!(first.len(), 5); // in the order they were found
///     Ok(())
/// }
/// ```
pub struct WorkIterator<T: Task<Input = u64>, N = KeepNull> {
    mode: Mode<T>,
    num_workers: usize,
    /// `None`s that were not yielded.
    skipped: AtomicU64,
    null: PhantomData<fn() -> N>,
}

/// Where works are done.
pub(super) enum Mode<T: Task<Input = u64>> {
    Pool(Pooled<T>),
    Serial(Serial<T>),
}

/// What becomes of a work, and what a [`WorkIterator`] yields.
type WorkOutcome<T, N> =
    Result<<N as NullPolicy<<T as Task>::Output>>::Item, TaskError<<T as Task>::Error>>;
type Item<T, N> = Result<(u64, WorkOutcome<T, N>), PopError>;

impl<T: Task<Input = u64>, N: NullPolicy<T::Output>> WorkIterator<T, N> {
    pub(super) fn of(mode: Mode<T>, num_workers: usize) -> Self {
        Self {
            mode,
            num_workers,
            skipped: AtomicU64::new(0),
            null: PhantomData,
        }
    }

    /// The next result, waiting for it on this thread; `None` at the end.
    ///
    /// # Errors
    /// In the item: [`PopError::Empty`] when none came in time. The iteration goes on after it.
    pub fn next(&self) -> Option<Item<T, N>> {
        loop {
            let (id, outcome) = match &self.mode {
                Mode::Pool(pooled) => match pooled.next()? {
                    Ok(found) => found,
                    Err(stalled) => return Some(Err(stalled)),
                },
                Mode::Serial(serial) => serial.next()?,
            };
            let yielded = match outcome.map(N::item) {
                Ok(Some(item)) => Ok(item),
                Ok(None) => {
                    self.skipped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(error) => Err(error),
            };
            return Some(Ok((id, yielded)));
        }
    }

    /// The same as an iterator, for adaptors; a `for` loop takes `&works`. There may be several at once, in one
    /// thread or in many.
    pub fn iter(&self) -> &Self {
        self
    }

    /// Ends it: workers are killed with all they have started, a [`next`](Self::next) that waits in
    /// another thread returns `None`, and so does every later one. Results nobody has taken are gone.
    /// The workers are too when it returns (typically some milliseconds, at most 1 s). In
    /// serial mode a work that has been begun is finished by its thread.
    pub fn close(&self) {
        match &self.mode {
            Mode::Pool(pooled) => pooled.close(),
            Mode::Serial(serial) => serial.close_all(),
        }
    }

    /// The worker processes there are when there is enough to do: the most [`processes`](super::WorkIteratorBuilder::processes), or 1 if memory was
    /// short at the start. 0 in serial mode.
    pub fn num_workers(&self) -> usize {
        self.num_workers
    }

    /// How many works went in and came out.
    pub fn counters(&self) -> WorkCounters {
        let skipped = self.skipped.load(Ordering::Relaxed);
        let (sent, received) = match &self.mode {
            Mode::Pool(pooled) => pooled.counts(),
            Mode::Serial(serial) => serial.counts(),
        };
        WorkCounters {
            sent,
            received,
            retrieved: received - skipped,
        }
    }

    /// What its run has done so far. `None`s that were skipped count as succeeded.
    pub fn stats(&self) -> Stats {
        match &self.mode {
            Mode::Pool(pooled) => pooled.stats(),
            Mode::Serial(serial) => serial.stats(),
        }
    }
}

impl<T: Task<Input = u64>, N> fmt::Debug for WorkIterator<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkIterator")
            .field("task", &T::NAME)
            .field("num_workers", &self.num_workers)
            .finish_non_exhaustive()
    }
}

/// Threads that share it get different works.
impl<T: Task<Input = u64>, N: NullPolicy<T::Output>> Iterator for &WorkIterator<T, N> {
    type Item = Item<T, N>;

    fn next(&mut self) -> Option<Item<T, N>> {
        WorkIterator::next(self)
    }
}

impl<T: Task<Input = u64>, N: NullPolicy<T::Output>> FusedIterator for &WorkIterator<T, N> {}
