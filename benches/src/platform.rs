//! What the system counts of this process.

mod usage;

pub use usage::wakeups;
pub(crate) use usage::{context_switches, processor_time};
