//! Real processes: this test program starts itself as worker, and as the parent of workers.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod descendants;
mod lifecycle;
mod nothing_left;
mod parent_death;
mod roles;
mod scene;
mod stderr;
