//! A call that is being described.

use std::{fmt, sync::Arc, time::Duration};

use mt_proto::Kept;

use super::{CallFuture, CallHandle, CallWithStdout, request::Request, submitted::Submitted};
use crate::{
    Pool, Task,
    dispatch::{Prepared, Terms},
    fair_line::Caller,
    limits::Retries,
    pmap::Outcome,
    setters::setters,
};

/// A call of a task on a pool. Made by [`Pool::call`]; nothing happens until it is awaited,
/// [waited for](Self::wait), [spawned](Self::spawn) or [tried](Self::try_start).
#[must_use = "nothing is called until this is awaited, waited for or spawned"]
pub struct Call<T: Task> {
    pool: Pool,
    input: Kept<T::Input>,
    terms: Terms,
}

impl<T: Task> Call<T> {
    pub(crate) fn new(pool: &Pool, prepared: Option<Arc<Prepared>>, input: T::Input) -> Self {
        Self {
            pool: pool.clone(),
            input: Kept::new(input),
            terms: Terms {
                rank: pool.rank(),
                prepared,
                ..Terms::default()
            },
        }
    }

    setters! {
        /// How long the call may run, at least 1 ms. Then its worker is killed with all that it has started, and gone when
        /// the outcome is [`TimedOut`](crate::TaskErrorKind::TimedOut) with [`Deadline::Hard`](crate::limits::Deadline::Hard);
        /// other calls that ran there are made again. It is noticed up to 25 ms late; time in which the call did not have its
        /// worker's thread, because a call beside it kept that, does not count. Default: for ever.
        pub fn deadline(self, limit: Duration) => self.terms.hard = Some(limit);

        /// How long the call may wait for a worker once it is in the queue, at least 1 ms. Then it is
        /// [`TimedOut`](crate::TaskErrorKind::TimedOut) with [`Deadline::Queue`](crate::limits::Deadline::Queue), and its
        /// function is not called. Default: for ever.
        pub fn queue_deadline(self, limit: Duration) => self.terms.queue = Some(limit);

        /// How urgent the call is: of those that wait for a place or for a worker, the ones with the greater number go
        /// first. One that runs is not interrupted. Default 0. As long as there are enough urgent calls, others wait: give
        /// those a [`queue_deadline`](Self::queue_deadline), or bound the urgent ones.
        pub fn priority(self, priority: i8) => self.terms.rank.priority = priority;

        /// On whose behalf the call is made. Calls of one priority are dealt out round robin among callers, so somebody who
        /// has a thousand waiting holds up nobody else; those of one caller go in the order in which they were made.
        /// Default: the clone of the [`Pool`] that the call is made with, so that parts of a program that have a clone
        /// each are callers each. Numbers given here are never those of a clone.
        pub fn caller(self, caller: u64) => self.terms.rank.caller = Caller::Named(caller);

        /// How often the call is made again when its function returns an error, and after which pause. Default 0. For
        /// deaths see [`crash_limit`](crate::PoolBuilder::crash_limit).
        pub fn retries(self, retries: impl Into<Retries<T::Error>>) =>
            self.terms.retries = retries.into().of_any_error();
    }

    /// Waits for the outcome on the calling thread, inside or outside a runtime. Inside async code it holds up the
    /// thread: await the call there.
    ///
    /// # Errors
    /// As [`CallFuture`] has them.
    pub fn wait(self) -> Outcome<T> {
        self.into_future().wait()
    }

    /// Makes the call for its outcome and for what it has written to its worker's standard output, whether it succeeds or
    /// not. For plain functions, in a pool whose workers [capture](crate::WorkerStdout::Capture) it; otherwise the outcome is
    /// [`NotStarted`](crate::TaskErrorKind::NotStarted), and nothing was called. An error has it in any case:
    /// [`TaskError::stdout`](crate::TaskError::stdout).
    ///
    /// ```
    /// # // Case M253: What a call prints comes with its outcome.
    /// use mt_pool::{Pool, WorkerStdout, limits::WorkerOptions};
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
    ///     let pool = Pool::builder().processes(1).workers(captured).start()?;
    ///     let (outcome, stdout) = pool.call::<double>(4).with_stdout().wait();
    ///     assert_eq!((outcome?, &*stdout.text()), (8, "doubling 4\n"));
    ///     Ok(())
    /// }
    /// ```
    pub fn with_stdout(self) -> CallWithStdout<T> {
        let pool = self.pool.clone();
        CallWithStdout::of(&pool, self)
    }

    /// Makes the call without anybody waiting for it: it goes on when the handle is dropped.
    pub fn spawn(self) -> CallHandle<T> {
        let request = Request::of::<T>(&self.pool, &self.input, self.terms);
        CallHandle::new(request, self.pool.runtime())
    }

    /// Makes the call if there is room for it now.
    ///
    /// # Errors
    /// [`Full`] with the input, when as many calls or bytes wait as [may](crate::PoolBuilder::calls).
    pub fn try_start(self) -> Result<CallFuture<T>, Full<T::Input>> {
        let Self { pool, input, terms } = self;
        match Request::of::<T>(&pool, &input, terms) {
            Ok(request) => match Submitted::at_once(request) {
                Some(submitted) => Ok(CallFuture::of(submitted)),
                None => Err(Full(input)),
            },
            Err(lost) => Ok(CallFuture::of(Submitted::refused(lost))),
        }
    }
}

impl<T: Task> IntoFuture for Call<T> {
    type Output = Outcome<T>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        let request = Request::of::<T>(&self.pool, &self.input, self.terms);
        CallFuture::of(request.map_or_else(Submitted::refused, Submitted::of))
    }
}

impl<T: Task> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("task", &T::NAME)
            .finish_non_exhaustive()
    }
}

/// There is no room for a call: as many calls, or as many bytes of them, wait and run as may. Nothing was called.
#[derive(thiserror::Error)]
#[error("the pool has no room for another call; wait for one to end, or shed this one")]
pub struct Full<I>(Kept<I>);

impl<I> Full<I> {
    /// The input of the call that was not made.
    #[must_use]
    pub fn into_input(self) -> I {
        self.0.into_inner()
    }
}

impl<I> fmt::Debug for Full<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Full").finish_non_exhaustive()
    }
}
