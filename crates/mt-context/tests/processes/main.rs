//! Contexts of tasks, against servers on this machine, sound and faulty, and in real worker processes.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod http;

mt_pool::test_worker!();
