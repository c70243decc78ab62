//! Who does which task: both sides of the delegation protocol as state machines.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! ```text
//! handle(now, event)   changes state
//! settle(now)          does what is due by now (the parent)
//! poll_effect()        until None: Send, Resolve, Spawn, Kill, Finished …
//! poll_timeout()       when to call handle(now, Event::Tick) at the latest
//! ```
//!
//! * [`parent`]: the side that delegates, for all its children.
//! * [`bee`]: the side that does, of one bee.
//!
//! # Invariants
//! * Every task that was delegated is resolved exactly once.
//! * A task has at most one live owner; it changes hands only when the former owner is gone.
//! * An accept is answered by exactly one of `task_info` and `task_taken`, or by `die`.
//! * A child never runs, and has never reserved, more than it said it can.

/// The task that every worker bee has besides its own: how busy it is.
pub(crate) const BUSY_STATUS: &str = "busy_status";

pub(crate) mod bee;
#[cfg(feature = "__hot_paths")]
pub(crate) mod hot_paths;
pub(crate) mod parent;
#[cfg(test)]
mod tests;
