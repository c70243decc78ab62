//! The end of an exchange that the driver takes items out of.

use std::sync::Arc;

use super::{Asked, Block, Exchange};

/// What the driver found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) blocks: Vec<Block>,
    /// Whether the input has ended and nothing of it is left here.
    pub(crate) ended: bool,
    pub(crate) cancelled: bool,
    pub(crate) asked: Asked,
    /// Whether results for the consumer have piled up.
    pub(crate) output_full: bool,
}

/// Where the driver takes items out, and tells of outcomes.
#[derive(Debug)]
pub(crate) struct DriverEnd(pub(super) Arc<Exchange>);

impl DriverEnd {
    /// Takes at least `appetite` items if they are there. If there are fewer, the driver is woken
    /// when `wake_at` of them wait; at the next one, if there are none now. `held_bytes` is what the driver
    /// holds already.
    pub(crate) fn take(&self, appetite: u64, wake_at: u64, held_bytes: usize) -> Found {
        let mut state = self.0.lock();
        let mut found = Found::default();
        let mut items = 0;
        while items < appetite || matches!(state.sealed.front(), Some(Block::Refused(_))) {
            if state.sealed.is_empty() {
                state.seal();
            }
            let Some(block) = state.sealed.pop_front() else {
                break;
            };
            if let Block::Items(run) = &block {
                items += u64::from(run.count);
            }
            found.blocks.push(block);
        }
        let taken: usize = found.blocks.iter().map(Block::len_bytes).sum();
        state.waiting_bytes = state.waiting_bytes.saturating_sub(taken);
        state.held_bytes = held_bytes + taken;
        state.waiting -= items;
        let alone = if found.blocks.is_empty() { 1 } else { wake_at };
        state.wake_at = (items < appetite).then_some(alone);
        found.ended = state.ended && state.sealed.is_empty() && state.open.is_empty();
        found.cancelled = state.cancelled;
        found.asked = state.asked;
        found.output_full = state.output_bytes >= self.0.limits.buffer_bytes;
        self.0.wake_feeder(state);
        found
    }

    /// No more items are wanted. What is here can still be taken.
    pub(crate) fn close(&self) {
        self.0.close(|_| {});
    }

    /// Whether nothing is left to take, and after [`close`](Self::close) nothing will be.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.0.lock();
        state.closed && state.sealed.is_empty() && state.open.is_empty()
    }

    /// Results went to the consumer's queue.
    pub(crate) fn on_delivered(&self, bytes: usize) {
        self.0.lock().output_bytes += bytes;
    }

    pub(crate) async fn filled(&self) {
        self.0.filled.notified().await;
    }
}
