//! Watching and ending a run from elsewhere.

use std::sync::Arc;

use crate::{
    events::{EventLog, PoolEvents},
    input::{Asked, RunControl},
    stats::{RunProgress, Stats, StatsCell},
};

/// Watches and ends a run from anywhere: another thread, a signal handler's task, a callback. Made by
/// [`Pmap::handle`](crate::Pmap::handle); cheap to clone. Once the run is over it ends nothing, and
/// what it tells stands still.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub(super) control: RunControl,
    pub(crate) stats: Arc<StatsCell>,
    pub(super) events: Arc<EventLog>,
}

impl RunHandle {
    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.get();
        stats.outstanding = self.control.outstanding();
        stats.pulled = self.control.pulled();
        stats
    }

    /// How far the run is, and how fast.
    #[must_use]
    pub fn progress(&self) -> RunProgress {
        self.stats.progress(self.control.pulled())
    }

    /// What happens to its workers, from the start of the run on.
    #[must_use]
    pub fn events(&self) -> PoolEvents {
        self.events.read()
    }

    /// Pulls nothing more from the input; everything that was pulled is still done. May be called more
    /// than once.
    ///
    /// An item that the input is in the middle of yielding is not part of the run any more.
    pub fn close(&self) {
        self.control.ask(Asked::Close);
    }

    /// Ends the run at once: what runs is killed, and every item that was pulled and has no outcome yet gets
    /// [`Cancelled`](crate::TaskErrorKind::Cancelled) once its worker is gone. May be called more than
    /// once, also after [`close`](Self::close).
    pub fn cancel(&self) {
        self.control.ask(Asked::Cancel);
    }
}
