//! The choices of a run, all checked when it was built.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Duration;

use crate::{
    limits::{MemoryLimits, Recycle, Retries},
    supervision::RestartBudget,
};

#[derive(Debug, Clone)]
pub(crate) struct DispatchConfig {
    /// The most workers at once; a worker and the one that replaces it count as one.
    pub(crate) processes: u32,
    /// Whether other runs may have use for the workers this one lets go.
    pub(crate) shared: bool,
    /// The workers kept when there is nothing to do.
    pub(crate) min_processes: u32,
    pub(crate) ordered: bool,
    /// Whether workers finish one item before they start the next.
    pub(crate) in_order: bool,
    /// Whether items are taken in as they come, whatever there is to do already.
    pub(crate) takes_all: bool,
    /// How long what a worker holds should take it.
    pub(crate) ahead: Duration,
    /// The fewest items a worker is offered when there are enough.
    pub(crate) window_floor: u32,
    /// The most calls that share a worker's thread.
    pub(crate) most_shared: u32,
    /// The most items a worker holds.
    pub(crate) window_cap: u32,
    /// The most pieces a worker holds: the bound of its inbox.
    pub(crate) max_pieces: u32,
    pub(crate) crash_limit: u32,
    pub(crate) restarts: RestartBudget,
    pub(crate) exit_grace: Duration,
    pub(crate) queue_deadline: Option<Duration>,
    pub(crate) hard_deadline: Option<Duration>,
    /// How long a context that is being closed may keep its worker's thread.
    pub(crate) close_deadline: Option<Duration>,
    pub(crate) memory: MemoryLimits,
    pub(crate) retries: Retries,
    /// The bytes of results held back for the order from which on only what is next is done.
    pub(crate) buffer_bytes: usize,
    pub(crate) keep_items: bool,
    pub(crate) recycle: Recycle,
    /// What the jitter is made from.
    pub(crate) seed: u64,
}
