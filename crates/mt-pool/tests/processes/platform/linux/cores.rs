//! Workers that dump core when they die, which takes time.

use mt_test_kit::{Scene, dumps_whole_core, role};

use crate::prelude::*;

/// Enough for its dump to take longer than the limits of these tests, and not for it to fill a disk.
const HELD: usize = 1 << 30;

/// Before any deadline counts.
#[task]
fn holds_much_memory() {
    // Not zeros, which need no room on the disk.
    Box::leak(vec![1_u8; HELD].into_boxed_slice());
}

/// Where a host starts that may dump core, in a folder of its own. For the test runner this is nothing.
#[test]
fn as_host() {
    let run = || {
        let run = asyn_pmap::<act>([Deed::Abort]).init::<holds_much_memory>(());
        run.crash_limit(1).processes(1)
    };
    let report = match role().as_str() {
        "is watched" => {
            let watched = WorkerOptions::new().liveness(beats(10, 3));
            complete(run().workers(watched), 1)
        }
        "has a deadline" => complete(run().deadlines(hard(Duration::from_millis(100))), 1),
        _ => return,
    };
    let (death, _) = report.crash(0);
    assert_eq!(
        (&death.cause, death.exit.signal),
        (&DeathCause::Itself, Some(6)),
        "{death}"
    );
    assert!(death.exit.core_dumped, "{death}");
}

fn dies_by_itself(role: &str) {
    dumps_whole_core(&Scene::of("platform::linux::cores::as_host", role), HELD);
}

/// Case 9: a worker that dumps core is waited for, told as what it died of, and its core is whole, although it gives no
/// sign of life.
#[test]
fn a_worker_that_dumps_core_is_not_frozen() {
    dies_by_itself("is watched");
}

/// Case 9: the same when its item's deadline passes meanwhile.
#[test]
fn a_worker_that_dumps_core_has_not_overrun() {
    dies_by_itself("has a deadline");
}
