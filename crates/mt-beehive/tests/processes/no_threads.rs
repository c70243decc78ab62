//! A system that has no thread to give: a hive that needs one says so, and the next has what there is then.

use mt_beehive::BeehiveError;
use mt_pool::StartError;
use mt_test_kit::{alone_and_bound, name_of, without_threads};

use crate::{
    doer::DoerTasks,
    scene::{Live as _, block_on, hive, test_with},
};

/// Runs a test in a process of its own in which nothing of ours was started before.
fn fresh<F: FnOnce()>(test: F) {
    alone_and_bound(name_of::<F>(), test);
}

/// Case 36: A hive for which the system has no thread is `StartError::Thread`, inside a runtime too, and the next one works.
#[test_with(fresh)]
fn a_hive_without_a_thread_is_typed_and_the_next_one_works() {
    let start = || hive(1).start().map(drop);
    for refused in [
        without_threads(start),
        without_threads(|| block_on(async { start() })),
    ] {
        let is_typed = matches!(refused, Err(BeehiveError::Start(StartError::Thread(_))));
        assert!(is_typed, "{refused:?}");
    }
    let done = block_on(hive(1).live(async |hive| hive.add(1, 2).await));
    assert_eq!(done, Ok(3));
}
