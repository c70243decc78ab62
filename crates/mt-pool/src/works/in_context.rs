//! Works in this process, in one context, with every step told.

mod run;
mod teller;
#[cfg(test)]
mod tests;

use std::{fmt, rc::Rc};

use mt_proto::Kept;

pub use run::WorkCounts;

use self::{
    run::{Given, Runner, Stop, stop},
    teller::Teller,
};
use super::{MAX_CONCURRENCY, interrupt::interruption, no_concurrency, progress::ProgressSender};
use crate::{
    Context, OnSignal, StartError, Task, TaskError, pmap::given, setters::setters,
    supervision::OnSignals, task::TaskStyle,
};

/// Runs the task `T` for a list of work ids in this process, concurrently and in one context, and
/// tells every step to `progress`: what becomes of the works is told there and nowhere else.
///
/// The same happens inside a worker of [`asyn_work_generator`](crate::works::asyn_work_generator), without
/// the worker: for tests, for a program that is a worker of something else, and for when one process
/// is enough.
///
/// The queue is bounded, so somebody has to watch it while the works run, at the same time or on
/// another thread; works wait while it is full. If the receiver is dropped, what has not been
/// started is cancelled.
///
/// ```
/// use mt_pool::works::{Progress, progress_queue, run_asyn_works_in_context};
///
/// #[mt_pool::task]
/// async fn square(id: u64) -> Result<u64, String> {
///     id.checked_mul(id).ok_or_else(|| format!("{id} is too large"))
/// }
///
/// # futures::executor::block_on(async {
/// let (progress, mut messages) = progress_queue(64);
/// let works = run_asyn_works_in_context::<square>(progress).work_id_list([1, 2, u64::MAX]);
/// let watch = async {
///     let mut sum = 0;
///     while let Some(message) = messages.next().await {
///         match message {
///             Progress::TaskReturned { value, .. } => sum += value,
///             Progress::TaskRaised { error, .. } => eprintln!("{error}"),
///             _ => {}
///         }
///     }
///     sum
/// };
/// let (counts, sum) = futures::join!(works.run(), watch);
/// assert_eq!((counts?.raised, sum), (1, 5));
/// # Ok::<(), mt_pool::StartError>(())
/// # }).unwrap();
/// ```
pub fn run_asyn_works_in_context<T: Task<Input = u64>>(
    progress: ProgressSender<T::Output, TaskError<T::Error>>,
) -> AsynWorksInContext<T> {
    AsynWorksInContext {
        progress,
        shared: T::default_shared().map(Kept::new),
        context: T::Context::default_config().map(|config| Given::Config(Kept::new(config))),
        context_id: 0,
        work_ids: Vec::new(),
        max_concurrency: MAX_CONCURRENCY,
        cancel: Box::pin(std::future::pending()),
        on_signals: OnSignals::default(),
    }
}

/// Works that are being described. Made by [`run_asyn_works_in_context`].
#[must_use = "nothing happens until `run` is called and awaited"]
pub struct AsynWorksInContext<T: Task> {
    progress: ProgressSender<T::Output, TaskError<T::Error>>,
    shared: Option<Kept<T::Shared>>,
    context: Option<Given<T::Context>>,
    context_id: u32,
    work_ids: Vec<u64>,
    max_concurrency: usize,
    cancel: Stop,
    on_signals: OnSignals,
}

impl<T: Task<Input = u64>> AsynWorksInContext<T> {
    setters! {
        /// The value all works share. Required when the task has a `#[shared]` argument.
        #[doc(alias = "func_args")]
        #[doc(alias = "func_kwargs")]
        pub fn shared(self, value: T::Shared) => self.shared = Some(Kept::new(value));

        /// The config of the [`Context`] that is opened before the first work and closed after the last.
        /// This or [`context_vars`](Self::context_vars) is required when the task has a `#[context]`
        /// argument whose type has no [`default_config`](Context::default_config).
        pub fn context(self, config: <T::Context as Context>::Config) =>
            self.context = Some(Given::Config(Kept::new(config)));

        /// An open context to run in, instead of one made of a config. It is not closed, and there are no
        /// messages about it.
        pub fn context_vars(self, context: Rc<T::Context>) =>
            self.context = Some(Given::Open(context));

        /// The context's number in every message. Default 0.
        pub fn context_id(self, id: u32) => self.context_id = id;

        /// The works to run, started in this order. Default: none.
        pub fn work_id_list(self, ids: impl IntoIterator<Item = u64>) =>
            self.work_ids = ids.into_iter().collect();

        /// The most works at once, at least 1; `None` for all of them. Default 1024. Memory is proportional
        /// to it. Without effect for a plain `fn`, which runs one at a time.
        ///
        /// With `None` all works are started at once, so there is nothing left to be cancelled.
        pub fn max_concurrency(self, works: impl Into<Option<usize>>) =>
            self.max_concurrency = works.into().unwrap_or(usize::MAX);

        /// Cancels what has not been started when `cancel` is ready; works that run are finished. Default:
        /// never.
        pub fn cancel_on(self, cancel: impl Future<Output = ()> + 'static) =>
            self.cancel = Box::pin(cancel);

        /// What Ctrl-C does while the works run: [`OnSignal::Drain`] (default) cancels what has not been
        /// started, and the second Ctrl-C ends the process as ever. It is listened for on a thread that
        /// lives as long as the works run.
        pub fn on_interrupt(self, policy: OnSignal) => self.on_signals.interrupt = policy;

        /// The same of `SIGTERM`. Default: [`OnSignal::Ignore`], see
        /// [`WorkerOptions::on_terminate`](crate::limits::WorkerOptions::on_terminate).
        pub fn on_terminate(self, policy: OnSignal) => self.on_signals.terminate = policy;
    }

    /// Runs the works to the end; every one of them has been told by then. A panic of the task is a
    /// [`TaskRaised`](super::Progress::TaskRaised) like an error.
    ///
    /// Works on any executor; the future is not `Send`, as those of tasks need not be. Dropping it drops
    /// the works that run, without a message, and the context without closing it.
    ///
    /// # Errors
    /// [`StartError::Option`]: `max_concurrency` is 0, or a value or context that the task needs was
    /// not given. [`StartError::Thread`]: there is no thread to listen for Ctrl-C. Nothing was run or told then.
    pub async fn run(self) -> Result<WorkCounts, StartError> {
        let at_once = match T::STYLE {
            TaskStyle::Sync => self.max_concurrency.min(1),
            TaskStyle::Async => self.max_concurrency,
        };
        if at_once == 0 {
            return Err(no_concurrency());
        }
        let interruption = interruption(self.on_signals).map_err(StartError::Thread)?;
        let shared = given("shared", self.shared)?;
        let context = given("context", self.context)?;
        let runner = Runner::<T> {
            context_id: self.context_id,
            shared: Rc::new(shared.into_inner()),
            ids: self.work_ids.into_iter(),
            at_once,
            teller: Teller::new(self.progress),
            counts: WorkCounts::default(),
            stopped: false,
        };
        let stop = stop(self.cancel, interruption);
        Ok(runner.run_in(context, stop).await)
    }
}

impl<T: Task> fmt::Debug for AsynWorksInContext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsynWorksInContext")
            .field("task", &T::NAME)
            .field("context_id", &self.context_id)
            .field("works", &self.work_ids.len())
            .field("max_concurrency", &self.max_concurrency)
            .finish_non_exhaustive()
    }
}
