//! Describing a [`WorkIterator`].

use std::{
    fmt,
    marker::PhantomData,
    time::{Duration, Instant},
};

use super::{
    ahead::Ahead,
    iterator::{Mode, WorkIterator},
    manual_run::{Credit, ManualRun},
    pooled::{Pooled, Timeouts},
    serial_mode::Serial,
};
use crate::{
    AsynPmap, StartError, Task, asyn_pmap,
    limits::in_range,
    setters::setters,
    works::{
        null::{KeepNull, NullPolicy, Nullable, SkipNull},
        options::{MEMORY_MARK, fit_to_memory, run_options},
    },
};

/// The most works ahead for every worker, when the caller has set no number.
const MOST_AHEAD: u64 = 16 * 1024;
/// The most works ahead that may be set.
const MAX_BUFFER: usize = 1 << 23;

/// A [`WorkIterator`] that is being described.
#[must_use = "nothing happens until `start` is called"]
pub struct WorkIteratorBuilder<T: Task<Input = u64>, N = KeepNull> {
    run: AsynPmap<T>,
    memory_mark: f64,
    buffer_size: Option<usize>,
    timeouts: Timeouts,
    num_works: Option<u64>,
    serial_mode: bool,
    serial_threshold: u64,
    null: PhantomData<fn() -> N>,
}

impl<T: Task<Input = u64>> WorkIterator<T> {
    /// One with the default options: [`builder`](Self::builder) and
    /// [`start`](WorkIteratorBuilder::start).
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn new() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// One to be described.
    pub fn builder() -> WorkIteratorBuilder<T> {
        WorkIteratorBuilder {
            run: asyn_pmap::<T>([]),
            memory_mark: MEMORY_MARK,
            buffer_size: None,
            timeouts: Timeouts {
                push: Duration::from_secs(30),
                pop: Duration::from_secs(3600),
            },
            num_works: None,
            serial_mode: false,
            serial_threshold: 0,
            null: PhantomData,
        }
    }
}

impl<T: Task<Input = u64>, N: NullPolicy<T::Output>> WorkIteratorBuilder<T, N> {
    setters! {
        /// The most works that were handed out and whose outcomes were not returned to you, 1 to 2^23. It
        /// is never exceeded. Default: 2 for every worker, and more when you take results faster than
        /// that: as many as you take in 50 ms, up to 16,384 for every worker. So tiny works travel by the
        /// thousands, and results you don't hurry for don't pile up.
        pub fn buffer_size(self, works: usize) => self.buffer_size = Some(works);
    }

    /// Leaves works out that return `None`: the others' values are yielded without `Some`. Only for a task that
    /// returns an `Option`.
    pub fn skip_null(self) -> WorkIteratorBuilder<T, SkipNull>
    where
        T::Output: Nullable,
    {
        WorkIteratorBuilder {
            run: self.run,
            memory_mark: self.memory_mark,
            buffer_size: self.buffer_size,
            timeouts: self.timeouts,
            num_works: self.num_works,
            serial_mode: self.serial_mode,
            serial_threshold: self.serial_threshold,
            null: PhantomData,
        }
    }

    setters! {
        /// How long a call waits to hand a work out when none is on its way. Default 30 s. (There is
        /// always room for one, so this hardly ever matters.)
        pub fn push_timeout(self, timeout: Duration) => self.timeouts.push = timeout;

        /// How long a call waits for an outcome before it yields
        /// [`PopError::Empty`](super::super::PopError::Empty). Default 1 hour. Skipped `None`s begin it
        /// anew.
        pub fn pop_timeout(self, timeout: Duration) => self.timeouts.pop = timeout;
    }

    run_options!();

    setters! {
        /// [`processes`](Self::processes), as the seed calls it.
        pub fn max_num_workers(self, workers: usize) => self = self.processes(workers);

        /// The fraction of memory in use, 0 to 1, from which on there is only one worker. Default 0.9, as
        /// in the seed, which then starts none. It is looked at once, at the start.
        pub fn memory_mark(self, fraction: f64) => self.memory_mark = fraction;

        /// Does the works in this process, on the thread that asks, one after the other and none ahead.
        /// Default false. For few or very quick works, and for debuggers.
        ///
        /// Without worker processes a work that crashes takes this process with it; panics are still
        /// caught. Nothing is serialised, every work has a [context](crate::Context) of its own, an
        /// [init function](AsynPmap::init) is called once in this process, and an `async fn` runs inside a
        /// tokio runtime of the iterator's. Options of workers mean nothing.
        pub fn serial_mode(self, serial: bool) => self.serial_mode = serial;

        /// Ends after this many works. Default: no end.
        pub fn num_works(self, works: u64) => self.num_works = Some(works);

        /// Turns [`serial_mode`](Self::serial_mode) on if [`num_works`](Self::num_works) is given and is not
        /// more than this. Default 0.
        pub fn serial_threshold(self, works: u64) => self.serial_threshold = works;
    }

    /// Starts it. Everything is checked here; then the first works are handed out.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn start(self) -> Result<WorkIterator<T, N>, StartError> {
        in_range("buffer_size", self.buffer_size.unwrap_or(1), MAX_BUFFER)?;
        let few = |works| works <= self.serial_threshold;
        let num_works = self.num_works.unwrap_or(u64::MAX);
        if self.serial_mode || self.num_works.is_some_and(few) {
            let serial = Serial::new(self.run, num_works)?;
            return Ok(WorkIterator::of(Mode::Serial(serial), 0));
        }
        let (run, num_workers) = fit_to_memory(self.run, self.memory_mark)?;
        let workers = num_workers as u64;
        let (least, most, credit) = match self.buffer_size {
            Some(works) => (works as u64, works as u64, Credit::Strict),
            None => {
                let most = MOST_AHEAD.saturating_mul(workers).min(MAX_BUFFER as u64);
                (2 * workers, most, Credit::Together)
            }
        };
        let ahead = Ahead::new(least, most, Instant::now());
        // Room is made when the last of a delivery is taken, so there may seem to be more on the way
        // than there are, up to a delivery more.
        let manual_run = ManualRun::start(run.capacity(2 * most as usize), credit)?;
        let pooled = Pooled::new(manual_run, ahead, num_works, self.timeouts);
        Ok(WorkIterator::of(Mode::Pool(pooled), num_workers))
    }
}

impl<T: Task<Input = u64>, N> fmt::Debug for WorkIteratorBuilder<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkIteratorBuilder")
            .field("run", &self.run)
            .field("buffer_size", &self.buffer_size)
            .field("num_works", &self.num_works)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[mt_pool::task]
    fn same(n: u64) -> u64 {
        n
    }

    /// Case M21: Every option of a `WorkIterator` has the default that is told of it.
    #[test]
    fn defaults_are_those_of_the_documentation() {
        let builder = WorkIterator::<same>::builder();
        assert_eq!((builder.buffer_size, builder.num_works), (None, None));
        let Timeouts { push, pop } = builder.timeouts;
        assert_eq!([push, pop], [30, 3600].map(Duration::from_secs));
        assert_eq!(builder.memory_mark, 0.9);
        let serial = (builder.serial_mode, builder.serial_threshold);
        assert_eq!(serial, (false, 0));
    }
}
