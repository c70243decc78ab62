//! Counters a worker shares with its parent in one page of memory, readable after its death.
//!
//! What a worker had started when it died can't be told by messages without a system call an item:
//! the last ones would be in a buffer that dies too. A store to shared memory costs a nanosecond and
//! outlives the process. The page belongs to the two processes alone and goes with them.

use std::sync::{Arc, atomic::Ordering};

use crate::platform::Page;

/// A worker's progress, as far as the worker says: it counts what it is told to and nothing else.
#[derive(Debug, Clone)]
pub struct Progress {
    page: Arc<Page>,
}

impl Progress {
    pub(crate) fn new(page: Page) -> Self {
        Self {
            page: Arc::new(page),
        }
    }

    /// The items the worker has started, in the order they were sent.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.page.started().load(Ordering::Acquire)
    }

    /// Says that `count` items have been started so far. To be called before the item runs.
    #[inline]
    pub fn set_started(&self, count: u64) {
        self.page.started().store(count, Ordering::Release);
    }

    /// The items the worker has finished.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.page.finished().load(Ordering::Acquire)
    }

    /// Says that `count` items have been finished so far.
    #[inline]
    pub fn set_finished(&self, count: u64) {
        self.page.finished().store(count, Ordering::Release);
    }

    /// The turns of the worker's runtime; stands still while a task blocks it.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.page.turns().load(Ordering::Acquire)
    }

    /// Counts one turn of the runtime. Only one thread of the worker does.
    pub fn turn(&self) {
        let turns = self.page.turns();
        turns.store(
            turns.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Release,
        );
    }
}
