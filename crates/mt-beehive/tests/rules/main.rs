//! The rule table of the protocol and the hive's cases of failure, with real processes. A test that shows a
//! row of the table begins with its number; what links without processes can show is in `src/machine/tests`.
//!
//! Each test has a process of its own (see [`scene`]), so that what it leaves behind can be counted.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bees;
mod births;
mod bulk;
mod busy;
mod cancels;
mod deaths;
mod dying;
mod hostile;
#[path = "../support/live.rs"]
mod live;
mod outcomes;
mod parent;
mod platform;
mod population;
mod queens;
mod scene;

use mt_beehive::__private::inventory;

inventory::submit! {
    mt_pool::__private::TestEntry { module_path: module_path!() }
}

/// Where bees start. For the test runner this is nothing.
#[test]
fn mt_pool_worker() {
    if mt_ipc::is_worker_process() {
        hostile::play_a_part();
        mt_beehive::init();
    }
}
