//! Which of its calls a role is in, for `tracing` events.

use std::sync::OnceLock;

use mt_proto::ItemIndex;

static CURRENT: OnceLock<fn() -> Option<ItemIndex>> = OnceLock::new();

/// Events carry from now on what `current` says of the thread that emits them. The first call stands.
pub(crate) fn tell_items(current: fn() -> Option<ItemIndex>) {
    let _ = CURRENT.set(current);
}

/// The item in whose call this thread is, if the role has said how to know.
pub(super) fn current_item() -> Option<ItemIndex> {
    CURRENT.get()?()
}
