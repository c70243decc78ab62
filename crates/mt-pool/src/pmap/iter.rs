//! A run as an iterator that blocks.

use super::{outcome::Outcome, output::Pmap};
use crate::{Task, stats::Stats};

/// A run's outcomes, waiting for each on the calling thread. Made by `into_iter` of a [`Pmap`].
///
/// It may be used inside a tokio runtime, but holds up the thread it is used on.
#[derive(Debug)]
#[must_use = "dropping a run cancels it"]
pub struct PmapIter<T: Task> {
    pub(super) run: Pmap<T>,
}

/// A run's `(index, outcome)` pairs, waiting for each on the calling thread.
#[derive(Debug)]
#[must_use = "dropping a run cancels it"]
pub struct IndexedIter<T: Task> {
    pub(super) run: Pmap<T>,
}

impl<T: Task> PmapIter<T> {
    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.run.stats()
    }

    /// The run itself: its handle, its dead letters, what its exit hooks have returned.
    pub fn run(&self) -> &Pmap<T> {
        &self.run
    }
}

impl<T: Task> IndexedIter<T> {
    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.run.stats()
    }

    /// The run itself: its handle, its dead letters, what its exit hooks have returned.
    pub fn run(&self) -> &Pmap<T> {
        &self.run
    }
}

impl<T: Task> Iterator for PmapIter<T> {
    type Item = Outcome<T>;

    #[inline]
    fn next(&mut self) -> Option<Outcome<T>> {
        self.run.next_blocking().map(|(_, outcome)| outcome)
    }
}

impl<T: Task> Iterator for IndexedIter<T> {
    type Item = (u64, Outcome<T>);

    #[inline]
    fn next(&mut self) -> Option<(u64, Outcome<T>)> {
        self.run.next_blocking()
    }
}

impl<T: Task> std::iter::FusedIterator for PmapIter<T> {}
impl<T: Task> std::iter::FusedIterator for IndexedIter<T> {}
