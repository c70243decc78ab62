//! A described run taken apart, for doing its items without workers.

use super::{AsynPmap, plan};
use crate::{Context, StartError, Task};

/// What of a run's description means something without workers.
pub(crate) struct Parts<T: Task> {
    pub(crate) shared: T::Shared,
    pub(crate) config: <T::Context as Context>::Config,
    pub(crate) init: Option<plan::Hook>,
    pub(crate) fail_fast: bool,
}

/// Takes a description apart.
///
/// # Errors
/// [`StartError`] when something is missing or an option is out of its range.
pub(crate) fn parts<T: Task>(run: AsynPmap<T>) -> Result<Parts<T>, StartError> {
    run.options.check()?;
    Ok(Parts {
        shared: run
            .shared
            .ok_or_else(|| plan::missing("shared", "`#[shared]`"))?,
        config: run
            .context
            .ok_or_else(|| plan::missing("context", "`#[context]`"))?,
        init: run.init,
        fail_fast: run.options.fail_fast,
    })
}
