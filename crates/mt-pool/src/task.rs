//! What a task is: a function a worker process can find by name.

use std::{any::type_name, fmt::Display, rc::Rc};

use serde::{Deserialize, Serialize};

use crate::{Context, Wire};

/// A function that runs in worker processes. Written by [`#[task]`](macro@crate::task) and
/// [`inline_task!`](macro@crate::inline_task!), not by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    note = "put `#[mt_pool::task]` on the function; then its name is also the task's type: `asyn_pmap::<its_name>(inputs)`"
)]
pub trait Task: Sized + 'static {
    /// The name it is registered under: module path and function name.
    const NAME: &'static str;

    /// Whether calls may block the thread.
    const STYLE: TaskStyle;

    /// One item.
    type Input: Wire;
    /// What a call returns.
    type Output: Wire;
    /// What a call raises; [`Never`] for a function that returns no `Result`.
    type Error: Wire;
    /// The value all items share (the seed's `func_args` and `func_kwargs`); `()` for none.
    type Shared: Wire;
    /// What a call runs in (the seed's `context_vars`); [`NoContext`](crate::NoContext) for none.
    type Context: Context;

    /// Calls the function. Runs in a worker process, on its main thread.
    fn call(
        context: Rc<Self::Context>,
        shared: Rc<Self::Shared>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + 'static;

    /// The shared value when the caller gives none: `Some(())` for a function that takes none.
    fn default_shared() -> Option<Self::Shared>;

    /// An error as text, for where its type is not known: a failed init. The macros show what the
    /// error displays, if it does.
    #[must_use]
    fn describe_error(_error: &Self::Error) -> String {
        format!(
            "it returned an error of type {}",
            type_name::<Self::Error>()
        )
    }
}

/// How a task's function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskStyle {
    /// `fn`: called on the worker's main thread outside any runtime, one at a time.
    Sync,
    /// `async fn`: many at once on one thread, inside a tokio runtime. Needs not be `Send`.
    Async,
}

/// The error of a function that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Never {}

/// An error that crossed as text, for functions whose error type can't be sent, such as `anyhow::Error`: the
/// whole chain if it displays that by `{:#}`, `outermost: … : root cause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Raised {
    message: String,
}

impl Raised {
    /// Keeps what `error` displays, with its causes when its alternate form (`{:#}`) has them.
    pub fn new(error: impl Display) -> Self {
        Self {
            message: format!("{error:#}"),
        }
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}
