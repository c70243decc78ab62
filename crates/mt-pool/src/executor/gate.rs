//! The parent's word on which items may be started: read from the memory shared with it, for every item.

use std::sync::Arc;

use mt_ipc::Progress;
use mt_proto::ItemIndex;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Items that have come and may not be started yet wait for it. See `dispatch/hold.rs` in the parent.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(super) progress: Progress,
    /// Told when it may have moved.
    pub(super) moved: Arc<Notify>,
}

impl Gate {
    #[inline]
    pub(super) fn lets(&self, index: ItemIndex) -> bool {
        index.0 < self.progress.gate()
    }

    /// Waits until this item may be started. Cancel-safe.
    pub(super) async fn opened(&self, index: ItemIndex) {
        loop {
            let moved = self.moved.notified();
            if self.lets(index) {
                return;
            }
            moved.await;
        }
    }

    /// The same, until then at most; for ever without a time. Cancel-safe.
    pub(super) async fn opened_by(&self, index: ItemIndex, then: Option<Instant>) {
        match then {
            Some(then) => drop(timeout_at(then, self.opened(index)).await),
            None => self.opened(index).await,
        }
    }
}
