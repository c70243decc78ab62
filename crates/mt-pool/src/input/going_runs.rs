//! Runs that go on, and that somebody ends together: a pool's, a scope's.

use std::sync::Mutex;

use super::{Asked, RunControl, WeakRunControl};
use crate::{lock::lock, supervision::EndWatch};

/// The runs that go on.
#[derive(Debug, Default)]
pub(crate) struct GoingRuns(Mutex<GoingState>);

#[derive(Debug, Default)]
struct GoingState {
    runs: Vec<GoingRun>,
    closed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct GoingRun {
    control: WeakRunControl,
    pub(crate) end: EndWatch,
}

impl GoingRun {
    /// Asks for its end, if it goes on.
    pub(crate) fn ask(&self, how: Asked) {
        if let Some(run) = self.control.upgrade() {
            run.ask(how);
        }
    }
}

impl GoingRuns {
    /// Takes a run in, unless all were ended. True when it did.
    #[must_use]
    pub(crate) fn enter(&self, run: &RunControl, end: &EndWatch) -> bool {
        let mut state = lock(&self.0);
        if state.closed {
            return false;
        }
        state.runs.retain(|run| !run.end.is_over());
        state.runs.push(GoingRun {
            control: run.downgrade(),
            end: end.clone(),
        });
        true
    }

    /// Takes no further run in, and asks for the end of those that go on, which are returned. May be asked for more
    /// than once.
    pub(crate) fn end(&self, how: Asked) -> Vec<GoingRun> {
        let mut state = lock(&self.0);
        state.closed = true;
        state.runs.retain(|run| !run.end.is_over());
        for run in &state.runs {
            run.ask(how);
        }
        state.runs.clone()
    }

    /// How many go on.
    pub(crate) fn count(&self) -> usize {
        let state = lock(&self.0);
        state.runs.iter().filter(|run| !run.end.is_over()).count()
    }
}
