//! Works as futures of this process, many at once.

mod stream;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

pub use stream::AioWorks;

use super::{
    MAX_CONCURRENCY, no_concurrency,
    null::{KeepNull, NullPolicy, Nullable, SkipNull},
};
use crate::StartError;

/// Does the works 0 … `num_work_ids - 1` concurrently in this process, and yields what they return as
/// they finish.
///
/// For works that wait: requests, files, timers. The futures run inside the task that polls the
/// stream, on any executor, so one thread does them all; they need not be `Send` or `'static`, and may
/// borrow. For works that compute use worker processes.
///
/// The stream yields what `func` returns. With [`skip_null`](AioWorkGenerator::skip_null) works that come to
/// nothing are left out; an error is an item like others.
///
/// ```
/// use futures::{StreamExt, executor::block_on};
/// use mt_pool::works::aio_work_generator;
///
/// async fn square_of_odd(id: u64) -> Option<u64> {
///     (id % 2 == 1).then_some(id * id)
/// }
///
/// let works = aio_work_generator(square_of_odd, 6).skip_null().max_concurrency(2).start()?;
/// let mut squares: Vec<u64> = block_on(works.collect());
/// squares.sort_unstable(); // they come as they finish
/// assert_eq!(squares, [1, 9, 25]);
/// # Ok::<(), mt_pool::StartError>(())
/// ```
///
/// What all works need (the seed's `func_kwargs`) is borrowed by a closure, or handed over with
/// [`aio_work_generator_shared`]:
///
/// ```
/// # use futures::{StreamExt, executor::block_on};
/// # use mt_pool::works::aio_work_generator;
/// async fn page(base: &str, id: u64) -> Result<Option<String>, std::io::Error> {
///     Ok(Some(format!("{base}/{id}")))
/// }
///
/// let base = String::from("http://localhost");
/// let mut pages = aio_work_generator(|id| page(&base, id), 10).start()?;
/// block_on(async {
///     while let Some(page) = pages.next().await {
///         assert!(page.is_ok());
///     }
/// });
/// # Ok::<(), mt_pool::StartError>(())
/// ```
pub fn aio_work_generator<F, Fut>(func: F, num_work_ids: u64) -> AioWorkGenerator<F, Fut>
where
    F: FnMut(u64) -> Fut,
    Fut: Future,
{
    AioWorkGenerator {
        works: AioWorks::new(func, 0..num_work_ids, MAX_CONCURRENCY),
    }
}

/// [`aio_work_generator`] with a value that all works share (the seed's `func_kwargs`). The stream owns
/// it, so it may go where borrowing may not: out of a function, or into a task of its own.
///
/// ```
/// use std::sync::Arc;
/// use futures::Stream;
/// use mt_pool::{StartError, works::aio_work_generator_shared};
///
/// struct Site { base: String }
///
/// async fn page(id: u64, site: Arc<Site>) -> Option<String> {
///     Some(format!("{}/{id}", site.base))
/// }
///
/// fn pages(base: String) -> Result<impl Stream<Item = String>, StartError> {
///     aio_work_generator_shared(page, Site { base }, 10).skip_null().start()
/// }
/// # assert_eq!(futures::executor::block_on_stream(pages("a".into())?).count(), 10);
/// # Ok::<(), StartError>(())
/// ```
pub fn aio_work_generator_shared<F, S, Fut>(
    mut func: F,
    shared: impl Into<Arc<S>>,
    num_work_ids: u64,
) -> AioWorkGenerator<impl FnMut(u64) -> Fut, Fut>
where
    F: FnMut(u64, Arc<S>) -> Fut,
    Fut: Future,
{
    let shared = shared.into();
    aio_work_generator(move |id| func(id, Arc::clone(&shared)), num_work_ids)
}

/// Works that are being described. Made by [`aio_work_generator`].
#[must_use = "nothing happens until `start` is called and the stream is polled"]
pub struct AioWorkGenerator<F, Fut: Future, N = KeepNull> {
    works: AioWorks<F, Fut, N>,
}

impl<F, Fut: Future, N> AioWorkGenerator<F, Fut, N> {
    /// The most works at once, at least 1; `None` for all of them. Default 1024. Memory is
    /// proportional to it: a work's future is made when there is a place for it.
    pub fn max_concurrency(mut self, works: impl Into<Option<usize>>) -> Self {
        self.works.at_once = works.into().unwrap_or(usize::MAX);
        self
    }

    /// Leaves works out that return `None`: of an `Option<T>` the `T` is yielded, of a `Result<Option<T>, E>` the
    /// `Result<T, E>`.
    pub fn skip_null(self) -> AioWorkGenerator<F, Fut, SkipNull>
    where
        Fut::Output: Nullable,
    {
        AioWorkGenerator {
            works: self.works.with_nulls(),
        }
    }

    /// Makes the stream. No work is begun before it is polled.
    ///
    /// # Errors
    /// [`StartError::Option`]: `max_concurrency` is 0.
    pub fn start(self) -> Result<AioWorks<F, Fut, N>, StartError>
    where
        F: FnMut(u64) -> Fut,
        N: NullPolicy<Fut::Output>,
    {
        match self.works.at_once {
            0 => Err(no_concurrency()),
            _ => Ok(self.works),
        }
    }
}

impl<F, Fut, T, E, N> AioWorkGenerator<F, Fut, N>
where
    Fut: Future<Output = Result<T, E>>,
{
    /// Ends at the first error: it is yielded, then nothing more, and the works that still run are
    /// dropped.
    pub fn fail_fast(mut self) -> Self {
        self.works.is_fatal = Result::is_err;
        self
    }
}

impl<F, Fut: Future, N> fmt::Debug for AioWorkGenerator<F, Fut, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.works.fmt(f)
    }
}
