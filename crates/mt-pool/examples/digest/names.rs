//! Which item is which file, for as long as it is on the way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{byte_path::BytePath, task::Found};

/// The paths of the items that were pulled from the walk and have no outcome yet, so no more than
/// the run's capacity. With them every outcome has a name, whatever became of its item.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<OnTheWay>);

#[derive(Debug, Default)]
struct OnTheWay {
    found: u64,
    paths: HashMap<u64, BytePath>,
}

impl Names {
    /// The same items; each is known here before the pool has it.
    pub(crate) fn of<I: Iterator<Item = Found> + Send>(
        self: &Arc<Self>,
        walk: I,
    ) -> impl Iterator<Item = Found> + Send + use<I> {
        let names = Arc::clone(self);
        walk.inspect(move |found| names.add(found.path.clone()))
    }

    /// The path of an item whose outcome is there.
    pub(crate) fn take(&self, index: u64) -> Option<BytePath> {
        self.lock().paths.remove(&index)
    }

    fn add(&self, path: BytePath) {
        let mut names = self.lock();
        let index = names.found;
        names.paths.insert(index, path);
        names.found += 1;
    }

    fn lock(&self) -> MutexGuard<'_, OnTheWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
