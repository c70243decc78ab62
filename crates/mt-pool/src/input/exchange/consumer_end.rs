//! The end of an exchange that gives credit back.

use std::sync::Arc;

use super::Exchange;

/// Whoever takes the outcomes, which is what gives credit back.
#[derive(Debug)]
pub(crate) struct ConsumerEnd(pub(super) Arc<Exchange>);

impl ConsumerEnd {
    /// Took `items` out, which had `bytes` of results.
    pub(crate) fn on_consumed(&self, items: u64, bytes: usize) {
        let mut state = self.0.lock();
        let was_full = state.output_bytes >= self.0.limits.buffer_bytes;
        state.outstanding = state.outstanding.saturating_sub(items);
        state.consumed += items;
        state.output_bytes = state.output_bytes.saturating_sub(bytes);
        let is_full = state.output_bytes >= self.0.limits.buffer_bytes;
        if was_full && !is_full {
            self.0.filled.notify_one();
        }
        self.0.wake_feeder(state);
    }

    /// The consumer is gone: stops everything.
    pub(crate) fn cancel(&self) {
        self.0.close(|state| state.cancelled = true);
        self.0.filled.notify_one();
    }
}
