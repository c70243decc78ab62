//! A process for every test, and a look at what is left in it.

use std::fmt::Debug;

use mt_pool::{StartError, asyn_pmap, task};
use mt_test_kit::{Folder, descriptors, name_of, wait_until};

use crate::report::values;

/// Runs a test in a process of its own, under a watchdog. When it is over the pool still works there, and the test
/// has left no process, no zombie and no descriptor.
pub(crate) fn alone<F: FnOnce()>(test: F) {
    alone_as(name_of::<F>(), test);
}

/// The same for a test that gets an empty folder.
pub(crate) fn in_folder<F: FnOnce(Folder)>(test: F) {
    alone_as(name_of::<F>(), || {
        let folder = Folder::temp();
        test(folder.clone());
    });
}

pub(crate) fn alone_as(name: &str, test: impl FnOnce()) {
    mt_test_kit::alone(name, || {
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors().len();
        test();
        works();
        mt_test_kit::assert_no_children();
        wait_until(|| descriptors().len() <= before);
    });
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
