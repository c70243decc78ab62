//! A task with what all its calls share: sent once to each worker that calls it.

use std::{fmt, marker::PhantomData, sync::Arc};

use mt_proto::{
    Attachments, Kept, MAX_RECORD_BYTES, Preparation, ToExecutor, encode_attaching_guarded,
};

use super::{Call, CallFuture, Full};
use crate::{
    Context, Pool, StartError, Task, Wire, dispatch::Prepared, pmap::given, registry,
    setters::setters,
};

/// A task of a pool that is given what its calls share. Made by [`Pool::task`].
#[must_use = "nothing is prepared until `prepare` is called"]
pub struct TaskBuilder<T: Task> {
    pool: Pool,
    shared: Option<Kept<T::Shared>>,
    context: Option<Kept<<T::Context as Context>::Config>>,
}

impl Pool {
    /// A task whose calls share a `#[shared]` value, or a context that is made of a config: prepared once, and then called
    /// as often as you like, by whoever has a clone of it.
    ///
    /// ```
    /// # // Case M241: A task with a shared value is prepared once and called by whoever has a clone of it.
    /// use std::collections::HashMap;
    ///
    /// use mt_pool::Pool;
    ///
    /// type Prices = HashMap<String, u32>;
    ///
    /// #[mt_pool::task]
    /// fn price(#[shared] prices: &Prices, article: String, count: u32) -> Option<u32> {
    ///     prices.get(&article).map(|price| price * count)
    /// }
    ///
    /// #[mt_pool::main]
    /// async fn main() -> anyhow::Result<()> {
    ///     let pool = Pool::builder().processes(2).start()?;
    ///     let prices = Prices::from([("tea".into(), 3), ("cake".into(), 5)]);
    ///     let price = pool.task::<price>().shared(prices).prepare()?;
    ///     assert_eq!(price.call(("tea".into(), 2)).await?, Some(6));
    ///     assert_eq!(price.call(("cake".into(), 1)).await?, Some(5));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// Each worker gets both values once, before the first call there, reads them in that call, and keeps them, with the
    /// context, for the next. It keeps those of 16 prepared tasks at most, and forgets the one that was not called for
    /// longest: closing its context may take 5 s, and then the worker is replaced if that keeps its thread. What of a shared value or a config is
    /// a [`Blob`](crate::Blob) is mapped by all workers, and copied to none.
    pub fn task<T: Task>(&self) -> TaskBuilder<T> {
        TaskBuilder {
            pool: self.clone(),
            shared: T::default_shared().map(Kept::new),
            context: <T::Context as Context>::default_config().map(Kept::new),
        }
    }
}

impl<T: Task> TaskBuilder<T> {
    setters! {
        /// The value that all calls share. Required when the task has a `#[shared]` argument.
        pub fn shared(self, value: T::Shared) => self.shared = Some(Kept::new(value));

        /// The config of the task's [`Context`], of which each worker makes one. Required when the task has a `#[context]`
        /// argument whose type has no [`default_config`](Context::default_config).
        pub fn context(self, config: <T::Context as Context>::Config) =>
            self.context = Some(Kept::new(config));
    }

    /// Encodes both, once. No worker is told of it before the first call.
    ///
    /// # Errors
    /// [`StartError::Option`] for one that is required and not given, [`StartError::Value`] for one that does not encode,
    /// or for both if they have more than 1 GiB together, blobs not counted; [`StartError::Task`].
    pub fn prepare(self) -> Result<PreparedTask<T>, StartError> {
        let task = registry::number_of::<T>()?;
        let mut beside = Attachments::NONE;
        let mut left = MAX_RECORD_BYTES;
        let shared = encoded("shared", self.shared.as_deref(), &mut left, &mut beside)?;
        let context = encoded("context", self.context.as_deref(), &mut left, &mut beside)?;
        let id = self.pool.next_prepared();
        let preparation = Preparation {
            id,
            task,
            shared: shared.into(),
            context: context.into(),
        };
        let frame = ToExecutor::Prepare(preparation, beside).into_frame();
        Ok(PreparedTask {
            pool: self.pool,
            prepared: Arc::new(Prepared { id, frame }),
            task: PhantomData,
        })
    }
}

fn encoded<V: Wire>(
    option: &'static str,
    value: Option<&V>,
    left: &mut usize,
    beside: &mut Attachments,
) -> Result<Vec<u8>, StartError> {
    let bytes = encode_attaching_guarded(given(option, value)?, *left, beside);
    let bytes = bytes.map_err(|error| StartError::Value {
        option,
        message: error.to_string(),
    })?;
    *left -= bytes.len();
    Ok(bytes)
}

impl<T: Task> fmt::Debug for TaskBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskBuilder")
            .field("task", &T::NAME)
            .finish_non_exhaustive()
    }
}

/// A task of a pool with what its calls share. Cheap to clone, and `Send`, `Sync` and `'static` whatever the task's types
/// are; a clone is a [caller](Call::caller) of its own, as one of the pool is. When the last is dropped, and no call of it is
/// left, workers keep what they have of it until they forget it or go.
pub struct PreparedTask<T> {
    pool: Pool,
    prepared: Arc<Prepared>,
    task: PhantomData<fn() -> T>,
}

impl<T: Task> PreparedTask<T> {
    /// Calls the task in a worker, as [`Pool::call`] does. A shared value or a config that does not decode there is
    /// [`Undecodable`](crate::TaskErrorKind::Undecodable), and a context that does not open
    /// [`Context`](crate::TaskErrorKind::Context): of each call, and of no others.
    pub fn call(&self, input: T::Input) -> Call<T> {
        Call::new(&self.pool, Some(self.prepared()), input)
    }

    /// [`call`](Self::call) if there is room for it now.
    ///
    /// # Errors
    /// [`Full`] with the input.
    pub fn try_call(&self, input: T::Input) -> Result<CallFuture<T>, Full<T::Input>> {
        self.call(input).try_start()
    }

    pub(crate) fn prepared(&self) -> Arc<Prepared> {
        Arc::clone(&self.prepared)
    }

    /// The pool that is called.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl<T> Clone for PreparedTask<T> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            prepared: Arc::clone(&self.prepared),
            task: PhantomData,
        }
    }
}

impl<T: Task> fmt::Debug for PreparedTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedTask")
            .field("task", &T::NAME)
            .finish_non_exhaustive()
    }
}
