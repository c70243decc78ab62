//! What both kinds of works are started with.

use crate::{
    AsynPmap, StartError, Task, asyn_pmap,
    limits::{is_fraction, used_memory_above},
};

/// The use of memory from which on only one worker is started.
const MEMORY_MARK: f64 = 0.9;

/// The pool of a paralleliser or an iterator, being described.
pub(super) struct PoolOptions<T: Task<Input = u64>> {
    pub(super) run: AsynPmap<T>,
    pub(super) memory_mark: f64,
}

impl<T: Task<Input = u64>> PoolOptions<T> {
    pub(super) fn new() -> Self {
        Self {
            run: asyn_pmap::<T>(std::iter::empty()),
            memory_mark: MEMORY_MARK,
        }
    }

    /// The run, and the workers it may have: at least one, however short memory is.
    ///
    /// # Errors
    /// [`StartError::Option`] when one of these is out of its range.
    pub(super) fn run(self) -> Result<(AsynPmap<T>, usize), StartError> {
        let mark = self.memory_mark;
        is_fraction("memory_mark", mark)?;
        self.run.options.check()?;
        let most = self.run.options.processes.max();
        if most > 1 && used_memory_above(mark) {
            tracing::warn!(mark, "memory is short: one worker in place of {most}");
            return Ok((self.run.processes(1), 1));
        }
        Ok((self.run, most))
    }
}
