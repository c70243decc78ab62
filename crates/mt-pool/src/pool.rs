//! Workers that several runs share.

mod shutdown;
mod stats;

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mt_proto::PreparedId;
use tokio::runtime::Handle;

use crate::{
    Call, StartError, Task,
    calls::{CallFuture, CallOptions, CallQueue, Full},
    driver::{Plan, supervise},
    fair_line::{Caller, Rank},
    input::{Asked, CallPlaces, GoingRun, GoingRuns, RunControl},
    limits::{MAX_PROCESSES, MemoryLimits, Recycle, WorkerOptions, in_range, processors},
    lock::lock,
    setters::setters,
    stats::CallRecorder,
    supervision::{END_WAIT, EndTie, EndWatch, HANG_UP_GRACE, IdleLimits, IdleWorkers, OwnRuntime},
};

pub use shutdown::PoolShutdown;
pub use stats::PoolStats;

/// How long dropping a pool waits for its workers to be gone: as long as they may take to go by themselves, and then as
/// long as the end of a run waits for those that it has killed.
const DROP_WAIT: Duration = HANG_UP_GRACE.saturating_add(END_WAIT);

/// Worker processes that wait for the next run instead of ending with the one they were started for.
///
/// A second run finds them warm: it starts no process, and the first item is worked on some ten
/// microseconds after it was asked for instead of some milliseconds. [`Pool::global`] is one for the whole
/// process; [`Pool::builder`] makes others. A run uses one by
/// [`AsynPmap::pool`](crate::AsynPmap::pool).
///
/// Runs of different tasks, contexts and options can share a pool, at the same time too. A worker works
/// for one run at a time, from its setup (with the run's own `init`) to its rest (with its own `exit`
/// hook). What a task leaves in statics and thread-locals, and what it has spawned on the worker's runtime and not
/// waited for, is still there for the next run's tasks: use [`Recycle`](crate::limits::Recycle), or runs without a
/// pool, where that matters. Workers that die, run past a
/// deadline or grow too large are ended as ever and do not come back.
///
/// The workers of a pool end with its last clone: a run has one for as long as it goes on. Dropping it tells them to go,
/// kills those that are still there a second later (in an `atexit` handler that blocks, say), and returns when all are
/// gone; inside a task of a tokio runtime it only tells them.
///
/// ```
/// use mt_pool::{Pool, asyn_pmap};
///
/// #[mt_pool::task]
/// fn pid(_: u32) -> u32 {
///     std::process::id()
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let pool = Pool::builder().processes(1).start()?;
///     let one = |n| -> anyhow::Result<u32> {
///         let run = asyn_pmap::<pid>([n]).pool(&pool).start()?;
///         Ok(run.into_iter().last().unwrap()?) // to its end: a run that is dropped ends its workers
///     };
///     assert_eq!(one(1)?, one(2)?); // the same process
///     Ok(())
/// }
/// ```
pub struct Pool {
    inner: Arc<PoolInner>,
    /// Which clone this is: whose calls those are that are made with it.
    number: u64,
}

struct PoolInner {
    idle_workers: Arc<IdleWorkers>,
    call_options: CallOptions,
    /// The run that serves calls, once there was one.
    calls: Mutex<Option<Arc<CallQueue>>>,
    call_places: Arc<CallPlaces>,
    call_recorder: Arc<CallRecorder>,
    /// The clones there have been.
    clones: AtomicU64,
    /// The tasks that were prepared so far.
    prepared: AtomicU64,
    runtime: Handle,
    runs: GoingRuns,
    ended: EndWatch,
}

/// A run that a pool has taken in, and that ends with the tie.
#[derive(Debug)]
pub(crate) struct Entered {
    tie: EndTie,
    end: EndWatch,
}

/// A pool that is being described. Made by [`Pool::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `start` is called"]
pub struct PoolBuilder {
    limits: IdleLimits,
    calls: CallOptions,
}

impl Default for PoolBuilder {
    fn default() -> Self {
        let limits = IdleLimits {
            processes: processors(),
            keep: 0,
            idle: Duration::from_secs(10),
        };
        Self {
            limits,
            calls: CallOptions::default(),
        }
    }
}

impl PoolBuilder {
    setters! {
        /// The most workers at once, 1 to 4096, however many runs there are. Default: the processors this process may
        /// use. With more runs than workers, runs take turns: one that has no worker waits, first come first served,
        /// and one that has some lets a worker go as soon as it has nothing to do (its consumer waits for another run,
        /// say), or else finishes what it was given some 100 ms later. So runs that wait for each other go on, but a
        /// call that itself waits for what another run of the pool has not done yet may wait for ever. A run's own
        /// [`processes`](crate::AsynPmap::processes) hold too.
        pub fn processes(self, processes: usize) => self.limits.processes = processes;

        /// The workers that are kept however long there is no run, at most the [`processes`](Self::processes). Default 0. None are started for it.
        pub fn keep(self, workers: usize) => self.limits.keep = workers;

        /// How long the others wait for the next run. Default 10 s.
        pub fn idle(self, time: Duration) => self.limits.idle = time;

        /// The most [calls](Pool::call) that wait and run at once, 1 to 16,777,216; further ones wait for a place, or are
        /// [`Full`](crate::calls::Full). Default 65,536.
        pub fn calls(self, calls: usize) => self.calls.limits.count = calls;

        /// The most bytes of the inputs of all calls that wait and run, encoded, at least 1; one call may have more while
        /// there is no other. Default 64 MiB.
        pub fn call_bytes(self, bytes: usize) => self.calls.limits.bytes = bytes;

        /// How many workers may die while a call runs before it is given up, at least 1. Default 3. For runs see
        /// [`AsynPmap::crash_limit`](crate::AsynPmap::crash_limit), which also says what it costs.
        pub fn crash_limit(self, deaths: u32) => self.calls.crash_limit = deaths;

        /// The memory that calls may take. For runs see [`AsynPmap::memory`](crate::AsynPmap::memory).
        pub fn memory(self, limits: MemoryLimits) => self.calls.memory = limits;

        /// When workers of calls are replaced. For runs see [`AsynPmap::recycle`](crate::AsynPmap::recycle).
        pub fn recycle(self, recycle: Recycle) => self.calls.recycle = recycle;

        /// How the workers of calls are started, watched and heard. For runs see
        /// [`AsynPmap::workers`](crate::AsynPmap::workers).
        pub fn workers(self, options: WorkerOptions) => self.calls.workers = options;
    }

    /// Makes the pool: a thread, and no worker yet.
    ///
    /// # Errors
    /// [`StartError::Option`] for a number out of range, [`StartError::Thread`] when the system gives no
    /// thread.
    pub fn start(self) -> Result<Pool, StartError> {
        let IdleLimits {
            processes, keep, ..
        } = self.limits;
        in_range("processes", processes, MAX_PROCESSES)?;
        if keep > processes {
            let problem = format!("is {keep}, more than processes, {processes}");
            let option = "keep";
            return Err(StartError::Option { option, problem });
        }
        self.calls.check()?;
        let idle_workers = IdleWorkers::new(self.limits);
        let inner = PoolInner::start(idle_workers, self.calls).map_err(StartError::Thread)?;
        Ok(Pool {
            inner: Arc::new(inner),
            number: 0,
        })
    }
}

/// The same pool. Calls that are made with it take turns with those of other clones: see
/// [`Call::caller`](crate::Call::caller).
impl Clone for Pool {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            number: self.inner.clones.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.workers())
            .field("idle_workers", &self.idle_workers())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool to be described.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// The pool of this process, with the default settings. Made at its first use; its workers go when
    /// they have had nothing to do for 10 s, and with the process.
    ///
    /// # Errors
    /// [`StartError::Thread`] when the system gives no thread.
    pub fn global() -> Result<Self, StartError> {
        static GLOBAL: OnceLock<Pool> = OnceLock::new();
        if let Some(pool) = GLOBAL.get() {
            return Ok(pool.clone());
        }
        let new = Self::builder().start()?;
        Ok(GLOBAL.get_or_init(|| new).clone())
    }

    /// Starts no further run; those that go on pull nothing more from their inputs and finish what they
    /// have, see [`RunHandle::close`](crate::RunHandle::close). May be called more than once.
    pub fn close(&self) {
        drop(self.end_runs(Asked::Close));
    }

    /// Starts no further run; in those that go on workers finish what they have, and the rest is `Cancelled`, see
    /// [`RunHandle::drain`](crate::RunHandle::drain). May be called more than once.
    pub fn drain(&self) {
        drop(self.end_runs(Asked::Drain));
    }

    /// Starts no further run and ends those that go on at once, see
    /// [`RunHandle::cancel`](crate::RunHandle::cancel). May be called more than once, also after
    /// [`close`](Self::close) and [`drain`](Self::drain).
    pub fn cancel(&self) {
        drop(self.end_runs(Asked::Cancel));
    }

    /// Returns the runs that go on.
    fn end_runs(&self, how: Asked) -> Vec<GoingRun> {
        self.inner.runs.end(how)
    }

    /// Takes a run in.
    pub(crate) fn enter(&self, run: &RunControl) -> Result<Entered, StartError> {
        let (tie, end) = EndWatch::tied();
        match self.inner.runs.enter(run, &end) {
            true => Ok(Entered { tie, end }),
            false => Err(StartError::PoolClosed),
        }
    }

    /// How many runs go on.
    fn runs(&self) -> usize {
        self.inner.runs.count()
    }

    /// The workers there are, working or waiting.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.inner.idle_workers.workers()
    }

    /// The workers that wait for a run.
    #[must_use]
    pub fn idle_workers(&self) -> usize {
        self.inner.idle_workers.parked()
    }

    /// Calls a task in a worker: one call, from wherever, on the pool's warm workers.
    ///
    /// ```
    /// # // Case M167: One call of a task is a future, or is waited for, from anywhere.
    /// use mt_pool::Pool;
    ///
    /// #[mt_pool::task]
    /// fn square(n: u64) -> u64 {
    ///     n * n
    /// }
    ///
    /// #[mt_pool::main]
    /// async fn main() -> anyhow::Result<()> {
    ///     let pool = Pool::builder().processes(2).start()?;
    ///     assert_eq!(pool.call::<square>(12).await?, 144);
    ///     let (three, four) = tokio::join!(pool.call::<square>(3), pool.call::<square>(4));
    ///     assert_eq!(three? + four?, 25);
    ///     assert_eq!(pool.call::<square>(5).spawn().await?, 25); // goes on without anybody
    ///     assert_eq!(pool.call::<square>(6).wait()?, 36); // blocks this thread
    ///     Ok(())
    /// }
    /// ```
    ///
    /// All calls of a pool, of any tasks, share its workers; those of `async fn`s run side by side in one, up to 64, and a
    /// plain function has its worker's thread for itself. A worker keeps the context of each task that it was called for
    /// until it goes. At most [`calls`](PoolBuilder::calls) wait and run at once, and so many
    /// [bytes](PoolBuilder::call_bytes) of inputs; further ones wait for a place. Whose turn it is, for a place and for a
    /// worker, goes by [`Call::priority`] and [`Call::caller`].
    ///
    /// A task with a `#[shared]` argument, or whose context needs a config, is [prepared](Self::task) first:
    /// [`NotStarted`](crate::TaskErrorKind::NotStarted) says so.
    pub fn call<T: Task>(&self, input: T::Input) -> Call<T> {
        Call::new(self, None, input)
    }

    /// [`call`](Self::call) if there is room for it now.
    ///
    /// # Errors
    /// [`Full`] with the input.
    pub fn try_call<T: Task>(&self, input: T::Input) -> Result<CallFuture<T>, Full<T::Input>> {
        self.call::<T>(input).try_start()
    }

    /// The name of the task that is prepared next.
    pub(crate) fn next_prepared(&self) -> PreparedId {
        PreparedId(self.inner.prepared.fetch_add(1, Ordering::Relaxed))
    }

    /// The run that serves calls; a new one if the last is over.
    pub(crate) fn call_queue(&self) -> Result<Arc<CallQueue>, StartError> {
        let mut calls = lock(&self.inner.calls);
        if let Some(queue) = &*calls
            && queue.takes_calls()
        {
            return Ok(Arc::clone(queue));
        }
        let limits = self.inner.idle_workers.limits();
        let queue = CallQueue::start(self, &self.inner.call_options, limits)?;
        Ok(Arc::clone(calls.insert(queue)))
    }

    /// Whether it is known what calls print.
    pub(crate) fn captures_stdout(&self) -> bool {
        self.inner.call_options.workers.captures_stdout()
    }

    /// The places that calls take.
    pub(crate) fn call_places(&self) -> &Arc<CallPlaces> {
        &self.inner.call_places
    }

    /// Where calls are counted.
    pub(crate) fn call_recorder(&self) -> &Arc<CallRecorder> {
        &self.inner.call_recorder
    }

    /// The rank of a call that nothing is said of.
    pub(crate) fn rank(&self) -> Rank {
        Rank {
            priority: 0,
            caller: Caller::Clone(self.number),
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    /// Runs a supervisor on the pool's thread.
    pub(crate) fn supervise(&self, plan: Plan, entered: Entered) -> EndWatch {
        let Entered { tie, end } = entered;
        self.inner.runtime.spawn(async move {
            supervise(plan).await;
            drop(tie);
        });
        end
    }

    /// The workers.
    pub(crate) fn shared_workers(&self) -> Arc<IdleWorkers> {
        Arc::clone(&self.inner.idle_workers)
    }
}

impl PoolInner {
    fn start(idle_workers: Arc<IdleWorkers>, call_options: CallOptions) -> io::Result<Self> {
        let runtime = OwnRuntime::new()?;
        let handle = runtime.handle().clone();
        let (tie, ended) = EndWatch::tied();
        let watched = Arc::clone(&idle_workers);
        runtime.on_thread("mt-pool", move |runtime| {
            runtime.block_on(watched.deserted());
            drop(runtime);
            drop(tie);
        })?;
        Ok(Self {
            idle_workers,
            call_places: CallPlaces::new(call_options.limits),
            call_options,
            call_recorder: Arc::default(),
            calls: Mutex::default(),
            clones: AtomicU64::new(0),
            prepared: AtomicU64::new(0),
            runtime: handle,
            runs: GoingRuns::default(),
            ended,
        })
    }
}

impl Drop for PoolInner {
    fn drop(&mut self) {
        // Nobody waits for a call: who does has a clone of the pool.
        drop(lock(&self.calls).take());
        self.idle_workers.close();
        self.ended.wait_on_drop(DROP_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case M20: Every option of a pool has the default that is told of it.
    #[test]
    fn defaults_are_those_of_the_documentation() {
        let limits = Pool::builder().limits;
        assert_eq!(limits.processes, processors());
        assert_eq!((limits.keep, limits.idle), (0, Duration::from_secs(10)));
    }
}
