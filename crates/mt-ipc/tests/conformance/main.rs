//! What a connection to a worker process does on every system: the same tests everywhere, with real processes. This test
//! program starts itself as worker, and as the parent of workers.
//!
//! Whether a process has ended is seen by its connection to a listener of the test, which ends with it on every system.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod ends;
#[path = "platform/crash.rs"]
mod platform;
mod roles;
mod scene;
mod traffic;
mod trees;
