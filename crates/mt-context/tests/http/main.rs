//! The HTTP session, against servers that do what servers do, sound or not, and in real worker processes.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod anything;
mod bodies;
mod downloads;
mod hosts;
mod killed;
mod redirects;
mod resumed;
mod retried;
mod secrets;
mod server;
mod sessions;
mod trust;

mt_pool::test_worker!();
