//! The choices of a run, all checked when it was built.
//!
//! Pure: no IO, no clock, no runtime.

use std::{fmt, sync::Arc, time::Duration};

use crate::supervision::RestartBudget;

/// The choices of a run.
#[derive(Debug, Clone)]
pub(crate) struct DispatchConfig {
    /// The most workers at once; a worker and the one that replaces it count as one.
    pub(crate) processes: u32,
    /// Whether other runs may have use for the workers this one lets go.
    pub(crate) shared: bool,
    /// The workers kept when there is nothing to do.
    pub(crate) min_processes: u32,
    /// Whether outcomes go out in the order of the input.
    pub(crate) ordered: bool,
    /// The fewest items a worker is offered when there are enough.
    pub(crate) window_floor: u32,
    /// The most items a worker holds.
    pub(crate) window_cap: u32,
    /// The most pieces a worker holds: the bound of its inbox.
    pub(crate) max_pieces: u32,
    /// The deaths an item may cause.
    pub(crate) crash_limit: u32,
    /// The fruitless restarts allowed.
    pub(crate) restarts: RestartBudget,
    /// How long a worker may take to go when it is told to.
    pub(crate) exit_grace: Duration,
    /// How long an item may wait to be started.
    pub(crate) queue_deadline: Option<Duration>,
    /// How long an item may run.
    pub(crate) hard_deadline: Option<Duration>,
    pub(crate) memory: MemoryConfig,
    pub(crate) retry: RetryConfig,
    /// Whether every item that fails is given back.
    pub(crate) keep_items: bool,
    pub(crate) recycle: RecycleConfig,
    /// What the jitter is made from.
    pub(crate) seed: u64,
}

/// What workers may use.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MemoryConfig {
    /// The most resident bytes of one worker.
    pub(crate) max_rss: Option<u64>,
    /// How often an item is tried again after its worker was killed for its memory.
    pub(crate) oom_retries: u32,
    /// The most resident bytes of all workers together.
    pub(crate) budget: Option<u64>,
}

/// Which errors are tried again, and when.
#[derive(Debug, Clone)]
pub(crate) struct RetryConfig {
    /// How often an item is tried again after it raised an error.
    pub(crate) limit: u32,
    /// Whether an error, encoded, is worth it.
    pub(crate) wants: Option<RetryIf>,
    /// The pause before the first retry; doubled for each after.
    pub(crate) first_pause: Duration,
    /// The longest pause.
    pub(crate) longest_pause: Duration,
}

/// When a worker is replaced by a fresh one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecycleConfig {
    /// After so many items.
    pub(crate) items: Option<u64>,
    /// After so long.
    pub(crate) age: Option<Duration>,
    /// When it uses so many resident bytes.
    pub(crate) rss: Option<u64>,
    /// When it has had nothing to do for so long; it is not replaced then.
    pub(crate) idle: Option<Duration>,
    /// How much earlier a limit may come, 0 to 1, so that not all workers go at once. Not for items.
    pub(crate) jitter: f64,
    /// How many may be replaced at once.
    pub(crate) at_once: u32,
}

/// Tells from an encoded error whether to try again.
#[derive(Clone)]
pub(crate) struct RetryIf(pub(crate) Arc<Predicate>);

type Predicate = dyn Fn(&[u8]) -> bool + Send + Sync;

impl fmt::Debug for RetryIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryIf")
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            limit: 0,
            wants: None,
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(10),
        }
    }
}

impl Default for RecycleConfig {
    fn default() -> Self {
        Self {
            items: None,
            age: None,
            rss: None,
            idle: None,
            jitter: 0.1,
            at_once: 1,
        }
    }
}
