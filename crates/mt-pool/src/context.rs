//! What a task runs in: made in the worker from a config that crosses, used, and closed.

use std::{convert::Infallible, fmt::Display};

use crate::Wire;

/// The surroundings of a task that can't be sent: a client, a connection, a loaded library. The
/// counterpart of the seed's context manager (`cvc_func` and `context_vars`).
///
/// A worker opens one for every batch of [`batch_size`](crate::AsynPmap::batch_size) items, hands
/// `&Self` to each call, and closes it when the batch's last item is done. Opening, using and closing
/// happen in the worker's main thread, so a context needs not be `Send`.
///
/// ```
/// use mt_pool::Context;
///
/// struct Web { base: String }
///
/// impl Context for Web {
///     type Config = String;
///     type Error = std::io::Error;
///     async fn open(base: &String) -> Result<Self, Self::Error> {
///         Ok(Web { base: base.clone() })
///     }
/// }
///
/// #[mt_pool::task]
/// async fn address(#[context] web: &Web, page: u32) -> String {
///     format!("{}/{page}", web.base)
/// }
/// # fn main() {}
/// ```
pub trait Context: Sized + 'static {
    /// What crosses to the worker; the context is made of it there.
    type Config: Wire;
    /// Why it can't be made or closed.
    type Error: Display;

    /// Makes a context. An error becomes the outcome of every item of its batch
    /// ([`TaskErrorKind::Context`](crate::TaskErrorKind::Context)); the next batch tries again.
    fn open(config: &Self::Config) -> impl Future<Output = Result<Self, Self::Error>>;

    /// Takes leave of a context. Its items have their outcomes by then, so an error is only
    /// reported (a `tracing` warning, and [`Stats::context_close_errors`](crate::stats::Stats)).
    fn close(self) -> impl Future<Output = Result<(), Self::Error>> {
        async { Ok(()) }
    }

    /// The config when the caller gives none. Default: there is none, and starting without
    /// [`context`](crate::AsynPmap::context) is an error.
    #[must_use]
    fn default_config() -> Option<Self::Config> {
        None
    }
}

/// The context of a task that declares none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContext;

impl Context for NoContext {
    type Config = ();
    type Error = Infallible;

    async fn open((): &()) -> Result<Self, Infallible> {
        Ok(Self)
    }

    fn default_config() -> Option<()> {
        Some(())
    }
}
