//! Hosts that may use little of something: what a hive can't have is a typed error, and no panic.

use mt_beehive::{BeehiveError, CancelReason, limits::WorkerOptions, supervision::RestartBudget};
use mt_pool::StartError;
use mt_test_kit::{alone, descriptors, with_at_most, with_little_memory};
use rustix::process::Resource;

use crate::{
    doer::DoerTasks,
    scene::{LONG, Live as _, block_on, check, hive, reason, test_with},
};

/// What becomes of a task while this process, and its bees, may use so much: `None` if it is done, or why it is not.
fn under(resource: Resource, most: u64) -> Option<String> {
    let (limit, period) = (0, LONG);
    let workers = WorkerOptions::new().restart_budget(RestartBudget { limit, period });
    let run = hive(1).workers(workers);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let done = with_at_most(resource, most, || {
        let hive = run.start()?;
        let done = runtime.block_on(hive.add(1, 2));
        runtime.block_on(hive.shutdown());
        Ok::<_, BeehiveError>(done)
    });
    match done {
        Ok(Ok(3)) => None,
        Ok(done) => match reason(done) {
            CancelReason::NoWorkers(why) => Some(why.to_string()),
            other => panic!("{other}"),
        },
        // Too little for the hive itself.
        Err(error) => Some(error.to_string()),
    }
}

fn works() {
    let done = block_on(hive(1).live(async |hive| hive.add(1, 2).await));
    assert_eq!(done, Ok(3));
}

/// Case 4: A limit of files' sizes that leaves no room for the memory shared with bees is an error that names it.
#[test_with(check)]
fn no_file_may_be_large_enough() {
    for bytes in [0, 4096, 12287] {
        let why = under(Resource::Fsize, bytes).unwrap();
        assert!(why.contains("ulimit -f"), "{why}");
        works();
    }
    assert_eq!(under(Resource::Fsize, 12288), None);
}

/// Case 4: Too little address space is an error, in this process or in its bees, and ends neither by a panic.
#[test_with(check)]
fn no_address_space_left() {
    with_little_memory(|resource, most| {
        let why = under(resource, most);
        works();
        why
    });
}

/// Case 4: Too few descriptors, for a hive or for its bees, are an error.
#[test_with(check)]
fn no_descriptor_left() {
    let mut refused = 0;
    for spare in [0, 1, 2, 4, 8, 16, 32] {
        let open = descriptors().len() as u64 - 1;
        refused += u32::from(under(Resource::Nofile, open + spare).is_some());
        works();
    }
    assert!(refused > 0);
}

/// Case 4: Where there are no descriptors for a process's very first hive, that is an error, and no panic.
#[test]
fn no_descriptor_for_the_first_hive() {
    alone("scarcity::no_descriptor_for_the_first_hive", || {
        for spare in 0..6 {
            let open = descriptors().len() as u64 - 1;
            let started =
                with_at_most(Resource::Nofile, open + spare, || hive(1).start().map(drop));
            // A number below that was free may do.
            match started {
                Err(error) => assert!(
                    matches!(error, BeehiveError::Start(StartError::Thread(_))),
                    "{error:?}"
                ),
                Ok(()) => assert!(spare > 0),
            }
        }
        works();
    });
}
