//! What both kinds of works are started with.

use crate::{AsynPmap, StartError, Task, asyn_pmap, used_memory_above};

/// The use of memory from which on only one worker is started.
const MEMORY_MARK: f64 = 0.9;

/// The pool of a paralleliser or an iterator, being described.
pub(super) struct PoolOptions<T: Task<Input = u64>> {
    pub(super) run: AsynPmap<T>,
    pub(super) max_num_workers: Option<usize>,
    pub(super) memory_mark: f64,
}

impl<T: Task<Input = u64>> PoolOptions<T> {
    pub(super) fn new() -> Self {
        Self {
            run: asyn_pmap::<T>(std::iter::empty()),
            max_num_workers: None,
            memory_mark: MEMORY_MARK,
        }
    }

    /// The workers there may be: at least one, however short memory is.
    pub(super) fn num_workers(&self) -> Result<usize, StartError> {
        if self.max_num_workers == Some(0) {
            return Err(StartError::Option {
                option: "max_num_workers",
                problem: "is 0; it has to be at least 1".into(),
            });
        }
        let most = self
            .max_num_workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        if most > 1 && used_memory_above(self.memory_mark) {
            tracing::warn!(
                mark = self.memory_mark,
                "memory is short: one worker in place of {most}"
            );
            return Ok(1);
        }
        Ok(most)
    }
}
