//! A process for every test, and a look at what is left in it.

use std::fmt::Debug;

use mt_pool::{StartError, asyn_pmap, task};
use mt_test_kit::{Alarm, children, descriptors, is_alone, name_of, wait_until, watchdog};

use crate::report::values;

/// Puts the rest of a test into a process of its own, and waits here for its end; see [`NothingLeft`].
macro_rules! alone {
    () => {
        let Some(_nothing_left) = $crate::scene::NothingLeft::in_process_of(&|| {}) else {
            return;
        };
    };
}
pub(crate) use alone;

/// A test in its own process, under a watchdog. When it is over the pool still works there, and the test has left
/// no process, no zombie and no descriptor.
pub(crate) struct NothingLeft {
    descriptors: usize,
    _watchdog: Alarm,
}

impl NothingLeft {
    /// Begins the test that a closure is written in, if this is its process. If not, runs it in one.
    pub(crate) fn in_process_of<F>(_: &F) -> Option<Self> {
        let _watchdog = watchdog(name_of::<F>());
        is_alone(name_of::<F>()).then(|| {
            // What the library keeps for the life of a process is there after the first run.
            works();
            Self {
                descriptors: descriptors().len(),
                _watchdog,
            }
        })
    }
}

impl Drop for NothingLeft {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            works();
            // A run that is dropped waits for its workers for a second; a busy machine takes longer.
            wait_until(|| children().is_empty());
            wait_until(|| descriptors().len() <= self.descriptors);
        }
    }
}

/// The option that a start was refused for, and what is wrong with it.
#[track_caller]
pub(crate) fn refused<V: Debug>(started: Result<V, StartError>) -> (&'static str, String) {
    match started {
        Err(StartError::Option { option, problem }) => (option, problem),
        other => panic!("not refused: {other:?}"),
    }
}

/// Inside a runtime of this thread, of which nothing is switched on.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[task]
fn next(n: u64) -> u64 {
    n + 1
}

/// The pool works.
pub(crate) fn works() {
    let run = asyn_pmap::<next>(0..10).processes(2);
    assert_eq!(values(run), (1..=10).collect::<Vec<_>>());
}
