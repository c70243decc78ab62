//! Who works on what, and what a death means: the pool's decisions as one state machine.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! ```text
//! handle(now, event)   changes state
//! poll_effect()        until None: Spawn, Send, Retire, Kill, Deliver, Finished
//! poll_timeout()       when to call handle(now, Event::Tick) at the latest
//! ```
//!
//! # Invariants
//! * Every index that came in by [`Event::Input`] or [`Event::Calls`] goes out by exactly one [`Effect::Deliver`].
//! * A worker holds at most its window of items, and nothing is sent to one that is not ready.
//! * Nothing is given away again before its former holder is gone ([`Event::Gone`]).
//! * Only items that a dead worker had started are suspects; suspects run alone.
//! * What counts against an item (deaths, memory, errors) is counted apart, each with its own limit.

mod attempt_history;
mod call_line;
mod call_times;
mod calls;
mod config;
mod delivery;
mod done;
mod event;
mod failure;
mod feed;
mod hold;
mod holdings;
#[cfg(feature = "__hot_paths")]
pub(crate) mod hot_paths;
mod machine;
mod memory;
mod overdue;
mod piece;
mod prepared;
mod queue;
mod recycle;
mod retry;
mod running_clock;
mod share;
#[cfg(test)]
mod tests;
mod window;
mod worker_slot;

pub(crate) use call_line::Terms;
pub(crate) use config::DispatchConfig;
pub(crate) use delivery::{Apart, Delivery, End, Lost, Results};
pub(crate) use event::{Effect, Event, WakeAt};
pub(crate) use machine::Dispatch;
pub use memory::MemoryShortage;
pub(crate) use prepared::{MAX_PREPARED, Prepared};
pub(crate) use running_clock::Look;
pub(crate) use window::{AHEAD, AHEAD_OF_CALLS};
