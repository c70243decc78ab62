//! The parent's side of any supervised worker process: how it is watched, how it ends, what it said last.
//!
//! Nothing here knows what a worker works on.

mod callsite;
mod death;
mod hello_timeout;
mod last_words;
mod liveness;
mod plain;
mod relay;
mod restart_budget;
mod scope;
mod signals;
mod worker_event;
mod worker_failure;

pub use death::{Death, DeathCause};
pub(crate) use hello_timeout::HelloTimeout;
pub use last_words::{LastWords, last_words};
pub use liveness::{Finding, Liveness, LivenessPolicy, Verdict};
pub(crate) use plain::Plain;
pub use relay::WorkerEvents;
pub(crate) use relay::{Relay, load};
pub use restart_budget::{RestartBudget, Restarts};
pub(crate) use scope::CallScope;
pub use signals::{Interrupts, OnInterrupt};
pub use worker_event::WorkerEvent;
pub(crate) use worker_event::least_of;
pub use worker_failure::WorkerFailure;
