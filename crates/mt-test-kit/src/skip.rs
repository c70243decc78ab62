//! Tests that a system can't run: each says so by its name, with the reason.

use crate::platform;

/// Whether this is one of the systems (`windows`, `wine`, `macos`) that can't run a test. Says so then, in a line
/// that others read:
///
/// ```text
/// skipped: death::a_double_free: Wine's heap does not see it
/// ```
#[must_use]
pub fn is_skipped(test: &str, systems: &[&str], reason: &str) -> bool {
    let is_skipped = systems.iter().any(|system| platform::is_this(system));
    if is_skipped {
        skipped(test, reason);
    }
    is_skipped
}

/// Says that a test is not run on this system, by the name that the test runner knows it by.
pub fn skipped(test: &str, reason: &str) {
    let name = test.split_once("::").map_or(test, |(_, name)| name);
    println!("skipped: {name}: {reason}");
}
