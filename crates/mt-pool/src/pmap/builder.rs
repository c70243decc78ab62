//! Describing a run.

use std::marker::PhantomData;

use mt_proto::{InitCall, Kept};

use super::{
    options::PmapOptions,
    output::Pmap,
    plan::{Launched, hook_call, launch},
};
use crate::{
    Context, NoContext, Pool, StartError, Task,
    events::{Observer, PoolEvent},
    input::{IntoInput, RunInput},
    limits::{ByteLimits, Deadlines, MemoryLimits, Processes, Recycle, Retries, WorkerOptions},
    setters::setters,
};

/// Maps the task `T` over an input, in worker processes.
///
/// The input is any `IntoIterator` whose iterator is `Send`, or a stream wrapped by
/// [`from_stream`](crate::from_stream). It owns what it yields; one that borrows is mapped in a [`scope`](crate::scope()).
/// Nothing happens until [`start`](AsynPmap::start).
///
/// ```
/// use mt_pool::asyn_pmap;
///
/// #[mt_pool::task]
/// async fn double(n: u64) -> u64 {
///     2 * n
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let run = asyn_pmap::<double>(0..1000).processes(2).start()?;
///     let sum: u64 = run.into_iter().map(Result::unwrap).sum();
///     assert_eq!(sum, 999 * 1000);
///     Ok(())
/// }
/// ```
pub fn asyn_pmap<T: Task>(input: impl IntoInput<T::Input>) -> AsynPmap<T> {
    AsynPmap::new(input.into_source().into())
}

/// [`asyn_pmap`] for a task that is a value: one made by [`inline_task!`](macro@crate::inline_task!).
///
/// ```
/// use mt_pool::{asyn_pmap_with, inline_task};
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let run = asyn_pmap_with(inline_task!(|x: u32| -> u32 { x + 1 }), [1, 2, 3]).start()?;
///     let next: Vec<u32> = run.into_iter().map(Result::unwrap).collect();
///     assert_eq!(next, [2, 3, 4]);
///     Ok(())
/// }
/// ```
pub fn asyn_pmap_with<T: Task>(_task: T, input: impl IntoInput<T::Input>) -> AsynPmap<T> {
    asyn_pmap::<T>(input)
}

/// A run that is being described. Made by [`asyn_pmap`], and in a [`scope`](crate::scope()) by
/// [`Scope::asyn_pmap`](crate::Scope::asyn_pmap), where its [input](RunInput) may borrow. To name the type of one that borrows
/// nothing, `AsynPmap<T>` is enough.
///
/// Every method but [`start`](Self::start) sets an option.
#[must_use = "nothing happens until `start` is called"]
pub struct AsynPmap<T: Task, I = RunInput<'static>> {
    pub(crate) input: I,
    pub(crate) options: PmapOptions,
    pub(crate) shared: Option<Kept<T::Shared>>,
    pub(crate) context: Option<Kept<<T::Context as Context>::Config>>,
    pub(crate) init: Option<Result<InitCall, StartError>>,
    pub(crate) exit: Option<Result<InitCall, StartError>>,
    pub(crate) pool: Option<Pool>,
    pub(crate) observer: Option<Observer>,
    pub(crate) task: PhantomData<fn() -> T>,
}

impl<'a, T: Task> AsynPmap<T, RunInput<'a>> {
    pub(super) fn new(input: RunInput<'a>) -> Self {
        Self {
            input,
            options: PmapOptions::default(),
            shared: T::default_shared().map(Kept::new),
            context: <T::Context as Context>::default_config().map(Kept::new),
            init: None,
            exit: None,
            pool: None,
            observer: None,
            task: PhantomData,
        }
    }

    setters! {
        /// The value all items share: sent once to every worker. Required when the task has a
        /// `#[shared]` argument.
        #[doc(alias = "asyn_func_args")]
        #[doc(alias = "asyn_func_kwargs")]
        pub fn shared(self, value: T::Shared) => self.shared = Some(Kept::new(value));

        /// The config of the task's [`Context`]: sent once to every worker, which makes a context of it
        /// for every batch. Required when the task has a `#[context]` argument whose type has no
        /// [`default_config`](Context::default_config).
        #[doc(alias = "cvc_func")]
        #[doc(alias = "cvc_func_args")]
        #[doc(alias = "cvc_func_kwargs")]
        pub fn context(self, config: <T::Context as Context>::Config) =>
            self.context = Some(Kept::new(config));
    }

    /// Calls the task `I` once in every worker process before its first item. In a [`Pool`](crate::Pool) that is once in
    /// the life of the process: the next run with the same task and input finds it done, and a run with another
    /// gets other processes. If it returns an error or
    /// panics, the worker is replaced under the [restart budget](WorkerOptions::restart_budget).
    #[doc(alias = "init_func")]
    #[doc(alias = "init_func_args")]
    #[doc(alias = "init_func_kwargs")]
    pub fn init<I>(mut self, input: I::Input) -> Self
    where
        I: Task<Output = (), Shared = (), Context = NoContext>,
    {
        self.init = Some(hook_call::<I>("init", input));
        self
    }

    /// Calls the task `E` once in every worker that is told to go, after its last item and after its
    /// contexts were closed. What it returns is collected by
    /// [`Pmap::exit_values`](crate::Pmap::exit_values). If it returns an error or panics,
    /// [`ExitHookFailed`](PoolEvent::ExitHookFailed) tells. Together with closing contexts it has
    /// [`exit_grace`](Deadlines::exit_grace), and is killed after that
    /// ([`Lingered`](crate::supervision::DeathCause::Lingered)); a worker that dies or is killed does not get there.
    pub fn exit<E>(mut self, input: E::Input) -> Self
    where
        E: Task<Shared = (), Context = NoContext>,
    {
        self.exit = Some(hook_call::<E>("exit", input));
        self
    }

    setters! {
        /// Keeps a worker's context for all its items instead of one batch: the place for state that a worker
        /// builds up or that is costly to make. Default: one context a batch, as in the seed. One that can't be
        /// opened is the outcome of up to 1024 items; then it is tried again.
        pub fn context_per_worker(self) => self.options.context_per_worker = true;

        /// Items per batch, 1 to 2^24. Default 1024. A context lives for one batch. It is no unit of
        /// sending: items and results stream.
        pub fn batch_size(self, items: usize) => self.options.batch_size = items;

        /// Items that run at once in one worker, 1 to 2^24. Default 1024. Without effect for a plain
        /// `fn`, which runs one at a time.
        pub fn max_concurrency(self, items: usize) => self.options.max_concurrency = items;

        /// The worker processes: the most, 1 to 4096, or by a range the fewest too, `2..=8`. Default: as many as
        /// there are processors for this process. They are started as items come, and there are never more than
        /// items; the fewest are started with the run and kept when there is nothing to do.
        pub fn processes(self, processes: impl Into<Processes>) =>
            self.options.processes = processes.into();

        /// [`processes`](Self::processes), as the seed calls it.
        pub fn pool_processes(self, processes: usize) => self = self.processes(processes);

        /// Whether outcomes come in the order of the input (default) or as they are ready.
        pub fn ordered(self, ordered: bool) => self.options.ordered = ordered;

        /// [`ordered`](Self::ordered), as the seed calls it.
        pub fn pool_ordered(self, ordered: bool) => self = self.ordered(ordered);

        /// When workers are replaced by fresh ones. Default: never.
        pub fn recycle(self, recycle: Recycle) => self.options.recycle = recycle;

        /// [`Recycle::after_batches`], as the seed calls it: the batches a worker may work on, at least 1.
        pub fn pool_maxtasksperchild(self, batches: u64) =>
            self.options.recycle = self.options.recycle.after_batches(batches);

        /// How long items, contexts, and workers besides may take. Default: items take as long as they do.
        pub fn deadlines(self, deadlines: Deadlines) => self.options.deadlines = deadlines;

        /// How much memory workers may use. Default: what there is.
        pub fn memory(self, limits: MemoryLimits) => self.options.memory = limits;

        /// How often an item is tried again when the function returns an error: a number, or a [`Retries`] that
        /// says more. Default 0.
        pub fn retries(self, retries: impl Into<Retries<T::Error>>) =>
            self.options.retries = retries.into().of_any_error();

        /// The most items that were pulled from the input and not yet taken out, at every instant, 1 to
        /// 2^24. Default: 16 × `batch_size` (at least 16 × 1024) for every worker. In order, one slow item
        /// holds back up to this many others.
        pub fn capacity(self, items: usize) => self.options.capacity = Some(items);

        /// How long items and results may be, encoded, and how much of them is kept.
        pub fn byte_limits(self, limits: ByteLimits) => self.options.byte_limits = limits;

        /// How many workers may die while an item runs before it is given up, at least 1. Default 3. From
        /// the second time on it runs alone in its worker. With 1, no item is ever started twice. The
        /// outcomes of what finished within about the last twenty milliseconds before a death may be lost: those items are
        /// done again; with 1 they are [`OutcomeLost`](crate::TaskErrorKind::OutcomeLost).
        pub fn crash_limit(self, deaths: u32) => self.options.crash_limit = deaths;

        /// How worker processes are started, watched and heard.
        pub fn workers(self, options: WorkerOptions) => self.options.workers = options;

        /// Uses the workers of a pool, and leaves them there for the next run. Default: the run's own, which
        /// end with it.
        pub fn pool(self, pool: &Pool) => self.pool = Some(pool.clone());

        /// What [`task_rng`](crate::task_rng) is made from, together with each item's index. Default: chosen
        /// at random.
        pub fn seed(self, seed: u64) => self.options.seed = Some(seed);

        /// Ends the run at the first error, as the seed does: it is yielded, then nothing more, and what
        /// still runs is killed.
        pub fn fail_fast(self) => self.options.fail_fast = true;

        /// Gives back every item that fails, in its error ([`TaskError::item`](crate::TaskError::item)), whatever it
        /// failed of. Default: only those that no worker has an outcome for. It keeps nothing longer than the item
        /// is on its way, but every result is looked at once more.
        pub fn keep_items(self) => self.options.keep_items = true;

        /// How many items the input has, for [`progress`](crate::Pmap::progress). Not needed for inputs that
        /// know it (`size_hint`), and nothing else depends on it: more or fewer may come.
        pub fn total(self, items: u64) => self.options.total = Some(items);
    }

    /// Calls `observe` with every [`PoolEvent`], on the run's own thread: it should be quick, and
    /// not wait for the run's outcomes. May be given more than once; all are called.
    pub fn observe(mut self, observe: impl Fn(&PoolEvent) + Send + Sync + 'static) -> Self {
        self.observer = Some(match self.observer.take() {
            None => Observer::new(observe),
            Some(before) => Observer::new(move |event| {
                before.tell(event);
                observe(event);
            }),
        });
        self
    }

    /// Starts the run. Everything is checked here, before any process exists; workers are started
    /// when the first items come.
    ///
    /// Nothing that is given to a run can make it panic. A `Serialize` of the shared value, of a context's config or of a
    /// hook's input that panics is a [`StartError::Value`]; an input whose `size_hint` panics is one that does not know
    /// its length; a callback, a predicate or a `Drop` that panics, which is shown as every panic is, changes nothing.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started and nothing was taken from the input.
    pub fn start(self) -> Result<Pmap<T, RunInput<'a>>, StartError> {
        let max_item_bytes = self.options.byte_limits.max_item;
        let (launched, input) = launch(self)?;
        let Launched {
            run,
            outcomes,
            feed,
        } = launched;
        let fed = input.start(feed, &run.handle.end, max_item_bytes);
        fed.map_err(StartError::Thread)?;
        Ok(Pmap::new(run, outcomes))
    }
}

impl<T: Task, I> std::fmt::Debug for AsynPmap<T, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsynPmap")
            .field("task", &T::NAME)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
