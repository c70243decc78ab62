//! Works by number in worker processes.

mod idle_timeout;
mod ids;
mod missing;
mod output;
mod tracker;

use std::{fmt, time::Duration};

pub use output::AsynWorks;

use self::{idle_timeout::IdleTimeout, ids::WorkIds, tracker::Tracker};
use super::{MAX_CONCURRENCY, options::run_options, progress::ProgressSender};
use crate::{
    AsynPmap, Context, StartError, Task, asyn_pmap,
    limits::{MAX_ITEMS, is_time},
    setters::setters,
};

/// The seed's 300 tenths of a second.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The fewest works on the way for each worker.
const LEAST_CAPACITY: usize = 16 * 1024;

/// Runs the task `T` for the works 0 … `num_works - 1` in worker processes, concurrently in each, and
/// yields what becomes of them as they finish.
///
/// Each worker makes one context and runs up to [`max_concurrency`](AsynWorkGenerator::max_concurrency)
/// works in it at once. Workers take works as they get on, so one that is slow or dies holds up only
/// what it has taken. Every work has one outcome: what had only been lost with the seed (a worker
/// that dies, a result that does not serialise, a context that can't be made, a work that never ends) is a
/// [`TaskError`](crate::TaskError) with its cause.
///
/// ```
/// use mt_pool::works::asyn_work_generator;
///
/// #[mt_pool::task]
/// async fn root(id: u64) -> Result<u64, String> {
///     let root = id.isqrt();
///     if root * root == id { Ok(root) } else { Err("no square".into()) }
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let mut squares = 0;
///     for (_work_id, outcome) in asyn_work_generator::<root>(10).processes(2).start()? {
///         match outcome {
///             Ok(_root) => squares += 1,
///             Err(error) => println!("{error}"),    // item 2: no square
///         }
///     }
///     assert_eq!(squares, 4);
///     Ok(())
/// }
/// ```
pub fn asyn_work_generator<T: Task<Input = u64>>(num_works: u64) -> AsynWorkGenerator<T> {
    AsynWorkGenerator {
        run: asyn_pmap::<T>([])
            .ordered(false)
            .max_concurrency(MAX_CONCURRENCY)
            .context_per_worker(),
        ids: WorkIds::Below(num_works),
        progress: None,
        timeout: Some(TIMEOUT),
    }
}

/// Works that are being described. Made by [`asyn_work_generator`].
#[must_use = "nothing happens until `start` is called"]
pub struct AsynWorkGenerator<T: Task> {
    run: AsynPmap<T>,
    ids: WorkIds,
    progress: Option<ProgressSender>,
    timeout: Option<Duration>,
}

impl<T: Task<Input = u64>> AsynWorkGenerator<T> {
    setters! {
        /// The config of the task's [`Context`]: sent once to every worker, which makes its context of it.
        /// Required when the task has a `#[context]` argument whose type has no
        /// [`default_config`](Context::default_config).
        #[doc(alias = "profile")]
        pub fn context(self, config: <T::Context as Context>::Config) =>
            self.run = self.run.context(config);
    }

    run_options!();

    setters! {
        /// [`processes`](Self::processes), as the seed calls it.
        pub fn num_processes(self, processes: usize) => self = self.processes(processes);
    }

    /// The works to run, started in about this order, instead of those below a number.
    ///
    /// With [`split_works`](crate::works::split_works) and one process each this settles the share of every
    /// process beforehand, as the seed does:
    ///
    /// ```
    /// use futures::{StreamExt, stream};
    /// use mt_pool::works::{asyn_work_generator, split_works};
    ///
    /// #[mt_pool::task]
    /// async fn double(id: u64) -> u64 {
    ///     2 * id
    /// }
    ///
    /// #[mt_pool::main]
    /// async fn main() -> anyhow::Result<()> {
    ///     let shares = split_works(100, Some(2))?;
    ///     let runs = shares.into_iter().map(|share| {
    ///         asyn_work_generator::<double>(0).work_id_list(share).processes(1).start()
    ///     });
    ///     let runs: Vec<_> = runs.collect::<Result<_, _>>()?;
    ///     assert_eq!(stream::select_all(runs).count().await, 100);
    ///     Ok(())
    /// }
    /// ```
    pub fn work_id_list(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.ids = WorkIds::List(ids.into_iter().collect());
        self
    }

    setters! {
        /// The most works at once in each worker, 1 to 2^24; `None` for the most there can be. Default 1024.
        /// Without effect for a plain `fn`, which runs one at a time.
        pub fn max_concurrency(self, works: impl Into<Option<usize>>) =>
            self.run = self.run.max_concurrency(works.into().unwrap_or(MAX_ITEMS));

        /// Where contexts and works tell how they get on. Default: nowhere.
        ///
        /// The messages tell of everything that is yielded too, without the values, and besides that when
        /// contexts are made, fail and are closed, and when works are given to them. A context has the
        /// number of its worker: 0, 1, 2 … in the order they were started; a worker that replaces a dead
        /// one has a new number. What finds the queue full is dropped and counted
        /// ([`missed`](super::ProgressReceiver::missed)): whoever watches can't hold up the run.
        pub fn progress_queue(self, progress: ProgressSender) => self.progress = Some(progress);

        /// How long no worker may say anything, at least 1 ms, while somebody waits for it; `None` for as
        /// long as may be. Default 30 s. Anything counts: a worker that is set up, a work that is given out
        /// or has its outcome. After that the run ends; works that have no outcome yet were running or never
        /// started, and get [`Silent`](crate::TaskErrorKind::Silent).
        ///
        /// The time has to be longer than the longest work. Workers that are stuck or dead are noticed anyway;
        /// this is for works that never end.
        pub fn timeout(self, silence: impl Into<Option<Duration>>) => self.timeout = silence.into();
    }

    /// Starts the run. Everything is checked here, before any process exists.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn start(self) -> Result<AsynWorks<T>, StartError> {
        let silence = self.timeout.map(listen).transpose()?;
        let tracker = self
            .progress
            .map(|progress| Tracker::new(progress, self.ids.clone()));
        let (voice, told) = (silence.as_ref().map(IdleTimeout::voice), tracker.clone());
        let mut run = with_room(self.run).observe(move |event| {
            if let Some(voice) = &voice {
                voice.heard();
            }
            if let Some(tracker) = &told {
                tracker.on_event(event);
            }
        });
        run.input = self.ids.source().into();
        Ok(AsynWorks::new(run.start()?, self.ids, silence, tracker))
    }
}

/// Lets so many works be on the way that no worker has to wait for more, unless that is settled.
fn with_room<T: Task>(run: AsynPmap<T>) -> AsynPmap<T> {
    let options = &run.options;
    if options.capacity.is_some() {
        return run;
    }
    let at_once = options.max_concurrency.saturating_mul(2);
    let all = at_once
        .max(LEAST_CAPACITY)
        .saturating_mul(options.processes.max());
    run.capacity(all.clamp(1, MAX_ITEMS))
}

fn listen(timeout: Duration) -> Result<IdleTimeout, StartError> {
    is_time("timeout", timeout)?;
    IdleTimeout::listen(timeout).map_err(StartError::Thread)
}

impl<T: Task> fmt::Debug for AsynWorkGenerator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsynWorkGenerator")
            .field("run", &self.run)
            .field("works", &self.ids.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
