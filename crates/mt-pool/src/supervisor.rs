//! The parent's side of a run: one thread, one loop, all workers.
//!
//! The loop reads an event, hands it to the machines of `dispatch` and `liveness`, and carries out
//! what they ask for. It decides nothing itself.

mod act;
mod callsite;
mod crew;
mod hooks;
mod life;
mod lot;
mod patience;
mod post;
mod pump;
mod relay;
mod run;
mod scope;
mod signals;
mod thread;
mod verdict;
mod watch;

pub(crate) use hooks::Collected;
pub(crate) use lot::{Lot, LotLimits};
pub(crate) use post::Recipe;
pub use relay::WorkerEvents;
pub(crate) use run::{Plan, supervise};
pub(crate) use scope::CallScope;
pub use signals::{Interrupts, OnInterrupt};
pub(crate) use thread::{Supervision, spawn_supervisor};
pub(crate) use watch::WatchConfig;
