//! Hives with real worker bees: the rule table of the protocol, and every way that a task, a bee, a queen and a
//! hive can end. A test that shows a row of the table begins with its number; what links without processes can show
//! is in `src/machine/tests`.
//!
//! Each test has a process of its own (see [`scene`]), so that what it leaves behind can be counted.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod births;
mod bulk;
mod bursting;
mod busy;
mod calls;
mod cancels;
mod census;
mod cores;
mod crossing;
mod deaths;
mod doer;
mod dying;
mod ends;
mod endurance;
mod hostile;
mod hosts;
mod inherited;
mod interrupt;
mod liveness;
mod nested;
mod no_threads;
mod odd_tasks;
mod outcomes;
mod parent;
#[path = "platform/raw.rs"]
mod platform;
mod population;
mod progress;
mod queens;
mod scarcity;
mod scene;
mod sharing;
mod slow_starts;
mod tables;
mod tracing;
mod user_code;
mod users;

use mt_beehive::__private::inventory;

inventory::submit! {
    mt_pool::__private::TestEntry { module_path: module_path!() }
}

/// Where bees start. For the test runner this is nothing. (`mt_beehive::test_worker!` for all but hostile bees.)
#[test]
fn mt_pool_worker() {
    if mt_ipc::is_worker_process() {
        slow_starts::start_slowly();
        hostile::play_a_part();
        mt_beehive::init();
    }
}
