//! How long calls that have ended in a worker waited for it, and since when it had them.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    time::{Duration, Instant},
    vec,
};

use super::Dispatch;

/// Calls that have ended, as many as were alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallTimes {
    /// From when they came until their worker was given them.
    pub(crate) queued: Duration,
    /// When it was.
    pub(crate) given: Instant,
    pub(crate) count: u32,
}

/// The times that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct EndedCalls(Vec<CallTimes>);

impl EndedCalls {
    /// A call has ended that came and was given to its worker then.
    pub(super) fn push(&mut self, came: Instant, given: Instant) {
        let queued = given.saturating_duration_since(came);
        match self.0.last_mut() {
            Some(last) if last.queued == queued && last.given == given => last.count += 1,
            _ => self.0.push(CallTimes {
                queued,
                given,
                count: 1,
            }),
        }
    }
}

impl Dispatch {
    /// The calls that have ended in workers since this was last asked.
    pub(crate) fn ended_calls(&mut self) -> vec::Drain<'_, CallTimes> {
        self.queue.calls.ended.0.drain(..)
    }

    /// The items that workers have.
    pub(crate) fn in_workers(&self) -> u64 {
        self.held.items
    }
}
