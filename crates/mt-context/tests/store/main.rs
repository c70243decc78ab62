//! The store against servers of S3.
//!
//! Each test has a server in its process and a bucket of its own. With the variable `MT_TEST_S3_ENDPOINT` the server is
//! another one, as `cargo xtask test --with-moto` starts it; what then differs a test says.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bed;
mod bodies;
mod conditions;
mod contexts;
mod faults;
mod kills;
mod limits;
mod listings;
mod local;
mod mirror;
mod proxy;
mod secrets;
#[path = "../../examples/mirror/server.rs"]
mod server;

use mt_test_kit::name_of;

mt_beehive::test_worker!();

/// Runs a test in a process of its own, which no worker outlives.
fn alone<F: FnOnce()>(test: F) {
    mt_test_kit::alone(name_of::<F>(), || {
        test();
        mt_test_kit::wait_until(|| mt_test_kit::children().is_empty());
    });
}
