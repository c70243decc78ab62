//! A task of a pool as a `tower` service, for the layers of that ecosystem. With the feature `tower`.

use std::{
    fmt,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tower_service::Service;

use crate::{
    Call, Pool, Task, TaskError,
    calls::{CallFuture, PreparedTask},
    dispatch::Prepared,
    setters::setters,
};

/// Calls of one task on a pool, as a [`Service`]: each request is an input and becomes a [call](Pool::call) of its own.
/// Made by [`Pool::service`] and [`PreparedTask::service`]; cheap to clone, and `Send`, `Sync` and `'static` whatever the task's types are.
///
/// ```
/// # // Case M183: A task is a service that layers of `tower` fit.
/// use std::time::Duration;
///
/// use mt_pool::Pool;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// #[mt_pool::task]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// #[mt_pool::main]
/// async fn main() -> anyhow::Result<()> {
///     let pool = Pool::builder().processes(2).start()?;
///     let squares = pool.service::<square>().deadline(Duration::from_secs(2));
///     assert_eq!(squares.clone().oneshot(12).await?, 144);
///
///     let squares = ServiceBuilder::new()
///         .load_shed() // what finds no place is an error at once
///         .concurrency_limit(64) // the places
///         .service(squares);
///     assert_eq!(squares.oneshot(5).await.map_err(anyhow::Error::from_boxed)?, 25);
///     Ok(())
/// }
/// ```
///
/// # Readiness
/// The service is ready at any time, also when its pool is full or closed. Whether there is
/// [room](crate::PoolBuilder::call_bytes) depends on the bytes of the input, which `poll_ready` does not see; and a place
/// that it had reserved would be lost to all others until its request came. So a call waits for its place inside its
/// future, as [`Pool::call`] does, from its first poll on, and a pool that is closed is
/// [`NotStarted`](crate::TaskErrorKind::NotStarted) there.
///
/// Hence `load_shed` right above the service sheds nothing. Put a `concurrency_limit` between the two, of no more than the
/// pool's [`calls`](crate::PoolBuilder::calls), as above; or use [`Pool::try_call`], which goes by the pool's own bounds.
///
/// # Timeouts
/// A layer that drops the future, as `timeout` does, cancels the call: its worker is ended if it still runs 100 ms later.
/// The layer's error says nothing of that. With [`deadline`](Self::deadline) the error is the call's own,
/// [`TimedOut`](crate::TaskErrorKind::TimedOut), and comes when the process is gone.
#[must_use = "nothing is called until the service is"]
pub struct CallService<T> {
    pool: Pool,
    prepared: Option<Arc<Prepared>>,
    deadline: Option<Duration>,
    queue_deadline: Option<Duration>,
    task: PhantomData<fn() -> T>,
}

impl Pool {
    /// A task of this pool as a `tower` service. With the feature `tower`.
    pub fn service<T: Task>(&self) -> CallService<T> {
        CallService::new(self, None)
    }
}

impl<T: Task> PreparedTask<T> {
    /// The task as a `tower` service, each of whose requests is a [call](Self::call). With the feature `tower`.
    pub fn service(&self) -> CallService<T> {
        CallService::new(self.pool(), Some(self.prepared()))
    }
}

impl<T: Task> CallService<T> {
    fn new(pool: &Pool, prepared: Option<Arc<Prepared>>) -> Self {
        Self {
            pool: pool.clone(),
            prepared,
            deadline: None,
            queue_deadline: None,
            task: PhantomData,
        }
    }

    setters! {
        /// How long each call may run, at least 1 ms; see [`Call::deadline`](crate::Call::deadline). Default: for ever.
        pub fn deadline(self, limit: Duration) => self.deadline = Some(limit);

        /// How long each call may wait for a worker, at least 1 ms; see
        /// [`Call::queue_deadline`](crate::Call::queue_deadline). Default: for ever.
        pub fn queue_deadline(self, limit: Duration) => self.queue_deadline = Some(limit);
    }

    /// The pool that is called.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl<T: Task> Service<T::Input> for CallService<T> {
    type Response = T::Output;
    type Error = TaskError<T::Error>;
    type Future = CallFuture<T>;

    /// Always ready; see [readiness](CallService#readiness).
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, input: T::Input) -> CallFuture<T> {
        let mut call = Call::<T>::new(&self.pool, self.prepared.clone(), input);
        if let Some(limit) = self.deadline {
            call = call.deadline(limit);
        }
        if let Some(limit) = self.queue_deadline {
            call = call.queue_deadline(limit);
        }
        call.into_future()
    }
}

impl<T> Clone for CallService<T> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            prepared: self.prepared.clone(),
            ..*self
        }
    }
}

impl<T: Task> fmt::Debug for CallService<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallService")
            .field("task", &T::NAME)
            .field("deadline", &self.deadline)
            .field("queue_deadline", &self.queue_deadline)
            .finish_non_exhaustive()
    }
}
