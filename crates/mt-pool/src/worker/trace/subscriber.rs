//! What receives the events of a worker whose user has set no subscriber.
//!
//! The subscriber can do without spans, so it enables none and they cost next to nothing.

use std::cell::Cell;

use tracing::{
    Event, Level, Metadata, Subscriber, level_filters::LevelFilter, span, subscriber::Interest,
};

use super::{collect::collect, journal::Journal};

thread_local! {
    static MUTED: Cell<bool> = const { Cell::new(false) };
}

/// Forwards no events of this thread: those of the link would make it send more of them.
pub(crate) fn mute_this_thread() {
    MUTED.set(true);
}

/// The same until it is dropped.
pub(crate) struct Muted(());

impl Muted {
    pub(crate) fn begin() -> Self {
        MUTED.set(true);
        Self(())
    }
}

impl Drop for Muted {
    fn drop(&mut self) {
        MUTED.set(false);
    }
}

/// In a worker process: sends a `tracing` event to the parent, which emits it again. Elsewhere it does
/// nothing, and neither does it for events that the parent does not want.
///
/// A worker does this by itself unless its program has a subscriber of its own. Such a subscriber can
/// call this from a layer:
///
/// ```
/// use tracing::{Event, Subscriber};
/// use tracing_subscriber::{Layer, layer::Context, prelude::*};
///
/// struct ToParent;
///
/// impl<S: Subscriber> Layer<S> for ToParent {
///     fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
///         mt_pool::worker::forward_event(event);
///     }
/// }
///
/// #[mt_pool::task]
/// fn set_up(_: ()) {
///     // Called in every worker by `.init::<set_up>(())`.
///     tracing_subscriber::registry().with(ToParent).init();
/// }
/// # #[mt_pool::main]
/// # fn main() {}
/// ```
pub fn forward_event(event: &Event<'_>) {
    let Some(journal) = Journal::current() else {
        return;
    };
    if is_wanted(journal, event.metadata().level()) && !MUTED.get() {
        journal.add(collect(event));
    }
}

fn is_wanted(journal: &Journal, level: &Level) -> bool {
    *level <= journal.filter()
}

pub(super) struct Forward(pub(super) &'static Journal);

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Not `enabled` on this thread only.
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && is_wanted(self.0, metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.filter())
    }

    fn event(&self, event: &Event<'_>) {
        forward_event(event);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
