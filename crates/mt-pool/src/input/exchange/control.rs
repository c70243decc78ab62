//! The end of an exchange for whoever has a handle of the run.

use std::sync::{Arc, Weak};

use super::Exchange;

/// What the run's handle asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    #[default]
    Nothing,
    /// No more input; finish what there is.
    Close,
    /// No more input and nothing more begun; finish what workers have.
    Drain,
    /// An end at once, with an outcome for every item.
    Cancel,
}

/// Asks for the end of a run, and tells how far its input is.
#[derive(Debug, Clone)]
pub(crate) struct RunControl(pub(super) Arc<Exchange>);

/// The same of a run that may be over.
#[derive(Debug, Clone)]
pub(crate) struct WeakRunControl(Weak<Exchange>);

impl WeakRunControl {
    pub(crate) fn upgrade(&self) -> Option<RunControl> {
        self.0.upgrade().map(RunControl)
    }
}

impl RunControl {
    /// A control that does not keep what the run has in memory.
    pub(crate) fn downgrade(&self) -> WeakRunControl {
        WeakRunControl(Arc::downgrade(&self.0))
    }

    pub(crate) fn pulled(&self) -> u64 {
        self.0.lock().next.0
    }

    /// Asks for the end of the run in one way or another. What was asked for stands.
    pub(crate) fn ask(&self, what: Asked) {
        self.0.close(|state| state.asked = state.asked.max(what));
        self.0.filled.notify_one();
    }

    pub(crate) fn outstanding(&self) -> u64 {
        let state = self.0.lock();
        state.next.0.saturating_sub(state.consumed)
    }
}
