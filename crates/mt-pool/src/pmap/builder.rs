//! Describing a run.

use std::{marker::PhantomData, time::Duration};

use mt_ipc::Program;
use tracing::level_filters::LevelFilter;

use super::{options::PmapOptions, output::Pmap, plan};
use crate::{
    Context, IntoInput, LivenessPolicy, NoContext, OnInterrupt, Pool, PoolEvent, RestartBudget,
    StartError, Task, WorkerStderr, event::Observer, input::Source,
};

/// Maps the task `T` over an input, in worker processes.
///
/// The input is any `IntoIterator` whose iterator is `Send`, or a stream wrapped by
/// [`from_stream`](crate::from_stream). Nothing happens until [`start`](AsynPmap::start).
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
///     let run = asyn_pmap::<double>(0..1000).pool_processes(2).start()?;
///     let sum: u64 = run.into_iter().map(Result::unwrap).sum();
///     assert_eq!(sum, 999 * 1000);
///     Ok(())
/// }
/// ```
pub fn asyn_pmap<T: Task>(input: impl IntoInput<T::Input>) -> AsynPmap<T> {
    AsynPmap::new(input.into_source())
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

/// A run that is being described. Made by [`asyn_pmap`].
///
/// Every method but [`start`](Self::start) sets an option; the seed's names are kept.
#[must_use = "nothing happens until `start` is called"]
pub struct AsynPmap<T: Task> {
    pub(super) source: Source<T::Input>,
    pub(super) options: PmapOptions,
    pub(super) shared: Option<T::Shared>,
    pub(super) context: Option<<T::Context as Context>::Config>,
    pub(super) init: Option<plan::Hook>,
    pub(super) exit: Option<plan::Hook>,
    pub(super) program: Program,
    pub(super) pool: Option<Pool>,
    pub(super) observer: Option<Observer>,
    pub(super) task: PhantomData<fn() -> T>,
}

impl<T: Task> AsynPmap<T> {
    fn new(source: Source<T::Input>) -> Self {
        Self {
            source,
            options: PmapOptions::default(),
            shared: T::default_shared(),
            context: <T::Context as Context>::default_config(),
            init: None,
            exit: None,
            program: Program::Own,
            pool: None,
            observer: None,
            task: PhantomData,
        }
    }

    /// The value all items share: sent once to every worker. Required when the task has a
    /// `#[shared]` argument.
    #[doc(alias = "asyn_func_args")]
    #[doc(alias = "asyn_func_kwargs")]
    pub fn shared(mut self, value: T::Shared) -> Self {
        self.shared = Some(value);
        self
    }

    /// The config of the task's [`Context`]: sent once to every worker, which makes a context of it
    /// for every batch. Required when the task has a `#[context]` argument whose type has no
    /// [`default_config`](Context::default_config).
    #[doc(alias = "cvc_func")]
    #[doc(alias = "cvc_func_args")]
    #[doc(alias = "cvc_func_kwargs")]
    pub fn context(mut self, config: <T::Context as Context>::Config) -> Self {
        self.context = Some(config);
        self
    }

    /// Calls the task `I` once in every worker before its first item. If it returns an error or
    /// panics, the worker is replaced under the [restart budget](Self::restart_budget).
    #[doc(alias = "init_func")]
    #[doc(alias = "init_func_args")]
    #[doc(alias = "init_func_kwargs")]
    pub fn init<I>(mut self, input: I::Input) -> Self
    where
        I: Task<Output = (), Shared = (), Context = NoContext>,
    {
        self.init = Some(plan::Hook::of::<I>("init", &input));
        self
    }

    /// Calls the task `E` once in every worker that is told to go, after its last item and after its
    /// contexts were closed. What it returns is collected by
    /// [`Pmap::exit_values`](crate::Pmap::exit_values). If it returns an error or panics,
    /// [`ExitHookFailed`](PoolEvent::ExitHookFailed) tells. Together with closing contexts it has
    /// [`exit_grace`](Self::exit_grace), and is killed after that
    /// ([`Lingered`](crate::DeathCause::Lingered)); a worker that dies or is killed does not get there.
    pub fn exit<E>(mut self, input: E::Input) -> Self
    where
        E: Task<Shared = (), Context = NoContext>,
    {
        self.exit = Some(plan::Hook::of::<E>("exit", &input));
        self
    }

    /// Keeps a worker's context for all its items instead of one batch: the place for state that a worker
    /// builds up or that is costly to make. Default: one context a batch, as in the seed. One that can't be
    /// opened is the outcome of up to 1024 items; then it is tried again.
    pub fn context_per_worker(mut self) -> Self {
        self.options.context_per_worker = true;
        self
    }

    /// Items per batch, 1 to 2^24. Default 1024. A context lives for one batch. It is no unit of
    /// sending: items and results stream.
    pub fn batch_size(mut self, items: usize) -> Self {
        self.options.batch_size = items;
        self
    }

    /// Items that run at once in one worker, 1 to 2^24. Default 1024. Without effect for a plain
    /// `fn`, which runs one at a time.
    pub fn max_concurrency(mut self, items: usize) -> Self {
        self.options.max_concurrency = items;
        self
    }

    /// The most worker processes, 1 to 4096. Default: the processors this process may use. They are
    /// started as items come; there are never more than items.
    pub fn pool_processes(mut self, processes: usize) -> Self {
        self.options.pool_processes = Some(processes);
        self
    }

    /// The batches a worker may work on before it is replaced by a fresh one, at least 1. Default:
    /// no limit. A worker gets at most this many times [`batch_size`](Self::batch_size) items.
    pub fn pool_maxtasksperchild(mut self, batches: usize) -> Self {
        self.options.pool_maxtasksperchild = Some(batches);
        self
    }

    /// Whether outcomes come in the order of the input (default) or as they are ready.
    pub fn pool_ordered(mut self, ordered: bool) -> Self {
        self.options.pool_ordered = ordered;
        self
    }

    /// The most items that were pulled from the input and not yet taken out, at every instant, 1 to
    /// 2^24. Default: 16 × `batch_size` (at least 16 × 1024) for every worker. In order, one slow item
    /// holds back up to this many others.
    pub fn capacity(mut self, items: usize) -> Self {
        self.options.capacity = Some(items);
        self
    }

    /// The bytes of encoded items the parent keeps, and as many again of results that wait to be
    /// taken out. Default 64 MiB. Input is not pulled beyond it; of results, those of items already
    /// given out still come, and those held back for the order are bounded by the
    /// [`capacity`](Self::capacity) alone. A single longer item is let through alone.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.options.buffer_bytes = bytes;
        self
    }

    /// The most bytes of one encoded item, up to 2^30 - 1 (default). A longer one gets
    /// [`TooLarge`](crate::TaskErrorKind::TooLarge) as its outcome.
    pub fn max_item_bytes(mut self, bytes: usize) -> Self {
        self.options.max_item_bytes = bytes;
        self
    }

    /// The most bytes of one encoded result, up to 2^30 - 1 (default). A longer one gets
    /// [`TooLarge`](crate::TaskErrorKind::TooLarge) as its outcome.
    pub fn max_result_bytes(mut self, bytes: usize) -> Self {
        self.options.max_result_bytes = bytes;
        self
    }

    /// How many workers may die while an item runs before it is given up, at least 1. Default 3. From
    /// the second time on it runs alone in its worker. With 1, no item is ever started twice. What
    /// finished within about the last millisecond before a death may not have been reported and
    /// counts as running.
    pub fn crash_limit(mut self, deaths: u32) -> Self {
        self.options.crash_limit = deaths;
        self
    }

    /// How many workers in a row may die for nothing before the run gives up.
    pub fn restart_budget(mut self, budget: RestartBudget) -> Self {
        self.options.restart_budget = budget;
        self
    }

    /// When a silent worker counts as frozen.
    pub fn liveness(mut self, policy: LivenessPolicy) -> Self {
        self.options.liveness = policy;
        self
    }

    /// How long a worker may take to close its contexts and exit when all is done. Default 5 s. It
    /// is killed after that.
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.options.exit_grace = grace;
        self
    }

    /// What Ctrl-C does while this run goes on. Default: [`OnInterrupt::Drain`].
    pub fn on_interrupt(mut self, policy: OnInterrupt) -> Self {
        self.options.on_interrupt = policy;
        self
    }

    /// Ends the run at the first error, as the seed does: it is yielded, then nothing more, and what
    /// still runs is killed.
    pub fn fail_fast(mut self) -> Self {
        self.options.fail_fast = true;
        self
    }

    /// Gives back every item that fails, in its error ([`TaskError::item`](crate::TaskError::item)), whatever it
    /// failed of. Default: only those that no worker has an outcome for. It keeps nothing longer than the item
    /// is on its way, but every result is looked at once more.
    pub fn keep_items(mut self) -> Self {
        self.options.keep_items = true;
        self
    }

    /// Starts workers from another program file than this process's: one of the same build whose
    /// `main` calls [`init`](crate::init()) first. This process then needs no `init` itself. A program
    /// that sleeps for more than about half a second instead of saying hello is taken for one that
    /// never will, and ends the run with [`WorkerFailure::Silent`](crate::WorkerFailure::Silent).
    pub fn worker_program(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.program = Program::File(path.into());
        self
    }

    /// Where the workers' standard error goes. Default: [`WorkerStderr::Forward`], through this
    /// process, unchanged, to its own standard error; its end is kept, and is part of
    /// [`Death`](crate::Death) as [`LastWords`](crate::LastWords).
    pub fn worker_stderr(mut self, mode: WorkerStderr) -> Self {
        self.options.worker_stderr = mode;
        self
    }

    /// The `tracing` events of workers that are emitted again in this process. Default: those that this
    /// process's subscribers enable at the [`start`](Self::start), as far as they say it by a level;
    /// without a subscriber none, and then they cost nothing.
    ///
    /// They go to the subscriber and under the span that are current at the `start`, with their own
    /// level, target, place and fields (as text), and the fields `worker`, `pid`, and `item`, the index of
    /// the item in whose call they were emitted. A worker keeps 512 events or 63 KiB at most and sends them
    /// at most every 10 ms, warnings and errors at once; how many had no room is emitted as a warning and
    /// counted in [`events_dropped`](crate::Stats::events_dropped). Spans of workers are not forwarded.
    ///
    /// The last 16 events of a worker that dies are in its [`LastWords`](crate::LastWords), sent or not.
    ///
    /// In a worker, a subscriber that its program sets before [`init`](crate::init()) or in its
    /// [init task](Self::init) takes the place of all this; it can call
    /// [`forward_event`](crate::forward_event). Later it can't set one: the pool's is set by then, in a
    /// [shared](Self::pool) worker from its first run on.
    pub fn forward_tracing(mut self, least: LevelFilter) -> Self {
        self.options.forward_tracing = Some(least);
        self
    }

    /// How many items the input has, for [`progress`](crate::Pmap::progress). Not needed for inputs that
    /// know it (`size_hint`), and nothing else depends on it: more or fewer may come.
    pub fn total(mut self, items: u64) -> Self {
        self.options.total = Some(items);
        self
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

    /// Another input in place of the one that was given.
    pub(crate) fn with_source(mut self, source: Source<T::Input>) -> Self {
        self.source = source;
        self
    }

    /// The options so far.
    pub(crate) fn options(&self) -> &PmapOptions {
        &self.options
    }

    /// Starts the run. Everything is checked here, before any process exists; workers are started
    /// when the first items come.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started and nothing was taken from the input.
    pub fn start(self) -> Result<Pmap<T>, StartError> {
        plan::start(self)
    }
}

impl<T: Task> std::fmt::Debug for AsynPmap<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsynPmap")
            .field("task", &T::NAME)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
