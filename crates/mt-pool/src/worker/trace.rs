//! The worker's `tracing` events on their way to the parent.
//!
//! An event becomes a text on the thread that emitted it, and goes two ways: into the
//! [`Journal`], which the link sends to the parent, and into the memory shared with the parent, where the
//! last few can be read after a crash that came before the link's turn.

mod collect;
mod journal;
mod subscriber;

use tracing::{
    dispatcher::{self, Dispatch},
    subscriber::NoSubscriber,
};
use tracing_core::callsite::rebuild_interest_cache;

use subscriber::Forward;

pub(crate) use collect::stamp_events;
pub(super) use journal::{Journal, LoadTimes, due};
pub use subscriber::forward_event;
pub(super) use subscriber::{Muted, mute_this_thread};

/// Runs the user's init with its events sent to the parent, unless the program has set a subscriber
/// before. For this thread and this time only, so that init can set one of its own.
pub fn during_init<R>(init: impl FnOnce() -> R) -> R {
    let is_set = dispatcher::get_default(|current| !current.is::<NoSubscriber>());
    match Journal::current() {
        Some(journal) if !is_set => {
            dispatcher::with_default(&Dispatch::new(Forward(journal)), init)
        }
        _ => init(),
    }
}

/// Sends the events of all threads to the parent from now on, unless somebody has set a subscriber.
pub fn install() {
    if let Some(journal) = Journal::current() {
        let _ = dispatcher::set_global_default(Dispatch::new(Forward(journal)));
        if journal.has_changed() {
            // What another run did not want this one may.
            rebuild_interest_cache();
        }
    }
}
