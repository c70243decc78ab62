//! Works pushed by id, outcomes popped as they come.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mt_proto::{ItemIndex, MAX_RECORD_BYTES, RecordTag, push_record};

use super::{
    counters::WorkCounters,
    error::PopError,
    manual_run::{Credit, ManualRun},
    shared_outlet::Dry,
};
use crate::{
    AsynPmap, StartError, Task, asyn_pmap,
    lock::lock,
    pmap::Outcome,
    setters::setters,
    stats::Stats,
    works::options::{MEMORY_MARK, fit_to_memory, run_options},
};

/// How long [`push`](ProcessParalleliser::push) waits for room.
const PUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// How long [`pop`](ProcessParalleliser::pop) waits for an outcome.
const POP_TIMEOUT: Duration = Duration::from_secs(3600);
/// The works that may be on the way, unless the caller has set a number.
const CAPACITY: usize = 1 << 20;

/// Runs a task with ids of your choice, in worker processes: [`push`](Self::push) ids,
/// [`pop`](Self::pop) outcomes in the order they are ready.
///
/// All methods take `&self`, so threads may share it. Ids may come in any order, and more than once. Use
/// a [`WorkIterator`](crate::WorkIterator) for the ids 0, 1, 2 …, and [`asyn_pmap`](crate::asyn_pmap())
/// for inputs that are no numbers.
///
/// Dropping it kills the workers with everything they have started; they are gone when the drop returns
/// (typically some milliseconds, at most 1 s).
///
/// ```
/// use mt_pool::works::ProcessParalleliser;
///
/// #[mt_pool::task]
/// fn square(work_id: u64) -> u64 {
///     work_id * work_id
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let squares = ProcessParalleliser::<square>::builder().processes(2).start()?;
///     for work_id in [3, 5] {
///         assert!(squares.push(work_id));
///     }
///     squares.close(); // no work follows; those pushed are done
///     let mut popped = Vec::new();
///     while let Ok((work_id, outcome)) = squares.pop() {
///         popped.push((work_id, outcome?));
///     }
///     popped.sort();
///     assert_eq!(popped, [(3, 9), (5, 25)]);
///     Ok(())
/// }
/// ```
pub struct ProcessParalleliser<T: Task<Input = u64>> {
    manual_run: ManualRun<T>,
    num_workers: usize,
    ids: Mutex<Ids>,
    sent: AtomicU64,
}

/// Whether a [`ProcessParalleliser`] takes works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParalleliserState {
    /// Works are taken.
    Living,
    /// No more works are taken: it was closed, interrupted, or can't have workers. Those it has are still done.
    Dying,
    /// Every work is done and every worker gone. Outcomes may still wait to be popped.
    Dead,
}

/// Which works the items are. An item whose index is its id needs no note.
#[derive(Debug, Default)]
struct Ids {
    others: HashMap<ItemIndex, u64>,
    scratch: Vec<u8>,
}

impl<T: Task<Input = u64>> ProcessParalleliser<T> {
    /// One with the default options: [`builder`](Self::builder) and
    /// [`start`](ProcessParalleliserBuilder::start).
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn new() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// One to be described.
    pub fn builder() -> ProcessParalleliserBuilder<T> {
        ProcessParalleliserBuilder {
            run: asyn_pmap::<T>([]),
            memory_mark: MEMORY_MARK,
            capacity: CAPACITY,
        }
    }

    /// Hands a work to the pool, waiting up to 30 s for room. False when there was none, or when this
    /// takes no more works: see [`state`](Self::state).
    pub fn push(&self, work_id: u64) -> bool {
        self.push_timeout(work_id, PUSH_TIMEOUT)
    }

    /// [`push`](Self::push) with a time of your own to wait; zero for not waiting.
    pub fn push_timeout(&self, work_id: u64, timeout: Duration) -> bool {
        let until = Instant::now().checked_add(timeout);
        if self.manual_run.feed.reserve(until).is_err() {
            return false;
        }
        let mut ids = lock(&self.ids);
        ids.scratch.clear();
        // guarded: a number.
        push_record(
            &mut ids.scratch,
            RecordTag::Value,
            &work_id,
            MAX_RECORD_BYTES,
        )
        .expect("a number always encodes");
        // Under the lock: whoever takes the outcome waits for the note.
        let Some(index) = self.manual_run.feed.push(&ids.scratch) else {
            return false;
        };
        if index.0 != work_id {
            ids.others.insert(index, work_id);
        }
        drop(ids);
        self.sent.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// The next outcome with its work's id, in the order they are ready, waiting up to an hour for it.
    /// An error in the outcome knows the id too.
    ///
    /// Blocks the thread. May be used inside a tokio runtime, but holds up the thread it is used on.
    ///
    /// # Errors
    /// [`PopError::Empty`] when none came in time, [`PopError::Closed`] when none will come. No work is
    /// lost either way.
    pub fn pop(&self) -> Result<(u64, Outcome<T>), PopError> {
        self.pop_timeout(POP_TIMEOUT)
    }

    /// [`pop`](Self::pop) with a time of your own to wait; zero for not waiting.
    ///
    /// # Errors
    /// As [`pop`](Self::pop).
    pub fn pop_timeout(&self, timeout: Duration) -> Result<(u64, Outcome<T>), PopError> {
        let taken = self.manual_run.take(timeout, || true);
        let (index, outcome) = taken.map_err(|dry| match dry {
            Dry::ForNow => PopError::Empty,
            Dry::ForGood => PopError::Closed,
        })?;
        let work_id = lock(&self.ids).others.remove(&index).unwrap_or(index.0);
        let outcome = outcome.map_err(|error| error.with_index(ItemIndex(work_id)));
        Ok((work_id, outcome))
    }

    /// Whether no outcome is there to be popped at this moment.
    #[doc(alias = "is_empty")]
    pub fn empty(&self) -> bool {
        self.manual_run.outlet.is_dry()
    }

    /// Takes no more works, and returns at once. Those that were pushed are done, their outcomes can be
    /// popped, and the workers go when all is done. (In the seed, works that no worker has begun are
    /// lost.) Does nothing the second time. To end at once, drop it.
    pub fn close(&self) {
        self.manual_run.feed.end();
    }

    /// Whether it takes works.
    pub fn state(&self) -> ParalleliserState {
        if self.manual_run.run.is_complete() {
            ParalleliserState::Dead
        } else if self.manual_run.feed.takes_items() {
            ParalleliserState::Living
        } else {
            ParalleliserState::Dying
        }
    }

    /// The worker processes there are when there is enough to do: the most [`processes`](ProcessParalleliserBuilder::processes), or 1 if memory was
    /// short at the start.
    pub fn num_workers(&self) -> usize {
        self.num_workers
    }

    /// How many works went in and came out.
    pub fn counters(&self) -> WorkCounters {
        let retrieved = self.manual_run.count_taken();
        WorkCounters {
            sent: self.sent.load(Ordering::Relaxed),
            received: retrieved,
            retrieved,
        }
    }

    /// What its run has done so far.
    pub fn stats(&self) -> Stats {
        self.manual_run.stats()
    }
}

impl<T: Task<Input = u64>> fmt::Debug for ProcessParalleliser<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessParalleliser")
            .field("task", &T::NAME)
            .field("state", &self.state())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

/// A [`ProcessParalleliser`] that is being described.
#[must_use = "nothing happens until `start` is called"]
pub struct ProcessParalleliserBuilder<T: Task<Input = u64>> {
    run: AsynPmap<T>,
    memory_mark: f64,
    capacity: usize,
}

impl<T: Task<Input = u64>> ProcessParalleliserBuilder<T> {
    run_options!();

    setters! {
        /// [`processes`](Self::processes), as the seed calls it.
        pub fn max_num_workers(self, workers: usize) => self = self.processes(workers);

        /// The most works that were pushed and whose outcomes were not popped, 1 to 2^24. Default 2^20.
        /// [`push`](ProcessParalleliser::push) waits beyond it.
        pub fn capacity(self, works: usize) => self.capacity = works;

        /// The fraction of memory in use, 0 to 1, from which on there is only one worker. Default 0.9, as
        /// in the seed, which then starts none. It is looked at once, at the start.
        pub fn memory_mark(self, fraction: f64) => self.memory_mark = fraction;
    }

    /// Starts it. Everything is checked here; workers are started when works come.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn start(self) -> Result<ProcessParalleliser<T>, StartError> {
        let (run, num_workers) = fit_to_memory(self.run, self.memory_mark)?;
        Ok(ProcessParalleliser {
            manual_run: ManualRun::start(run.capacity(self.capacity), Credit::Each)?,
            num_workers,
            ids: Mutex::default(),
            sent: AtomicU64::new(0),
        })
    }
}

impl<T: Task<Input = u64>> fmt::Debug for ProcessParalleliserBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessParalleliserBuilder")
            .field("run", &self.run)
            .field("capacity", &self.capacity)
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

    /// Case M22: Every option of a `ProcessParalleliser` has the default that is told of it.
    #[test]
    fn defaults_are_those_of_the_documentation() {
        let builder = ProcessParalleliser::<same>::builder();
        assert_eq!((builder.capacity, builder.memory_mark), (1 << 20, 0.9));
        let waits = [PUSH_TIMEOUT, POP_TIMEOUT];
        assert_eq!(waits, [30, 3600].map(Duration::from_secs));
    }
}
