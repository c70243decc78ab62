//! `tracing` events of a run's workers, and the run's own.

use mt_proto::{TraceEvent, WorkerId};

use super::driver::Driver;
use crate::{stats::Happened, supervision::load};

impl Driver {
    /// Emits an event of the run's own; `emit` calls one macro of `tracing`.
    pub(super) fn trace(&mut self, emit: impl FnOnce() + Send + 'static) {
        if self.relay.scope.is_listening() {
            self.relay.emit(1, emit);
        }
    }

    /// Emits events of a worker. It had no room for `dropped` more.
    pub(super) fn on_trace(&mut self, worker: WorkerId, events: Vec<TraceEvent>, dropped: u64) {
        let pid = self.workers.pid(worker).unwrap_or(0);
        let all = events.len() as u64 + dropped;
        let is_sent = self.relay.emit(all, load(worker.0, pid, events, dropped));
        let unseen = if is_sent { dropped } else { all };
        self.record(Happened::Unseen(unseen));
    }
}
