//! What worker bees tell of themselves and how they end, with real processes.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod census;
mod ends;
mod graces;
mod hosts;
mod interrupt;
#[path = "../support/live.rs"]
mod live;
mod liveness;
mod nested;
mod progress;
mod scene;
mod tracing;

use mt_beehive::__private::inventory;

inventory::submit! {
    mt_pool::__private::TestEntry { module_path: module_path!() }
}

/// Where bees start. For the test runner this is nothing. (`mt_beehive::test_worker!` for all but one test.)
#[test]
fn mt_pool_worker() {
    if !mt_ipc::is_worker_process() {
        return;
    }
    if std::env::var_os(scene::ALONE).is_some_and(|test| test == liveness::MUTE) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(liveness::mute());
    }
    mt_beehive::init();
}
