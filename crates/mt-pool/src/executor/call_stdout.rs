//! What a call prints, where that is captured.

use mt_ipc::StdoutCapture;
use mt_proto::{CapturedStdout, ItemIndex};

use crate::worker::stdout_capture;

/// The standard output of the call that runs, and of the one that has just ended. Workers that capture none pay for one
/// look a call and one an outcome.
#[derive(Debug)]
pub(super) struct CallStdout {
    capture: Option<&'static StdoutCapture>,
    /// The call that runs.
    running: Option<ItemIndex>,
    /// What was printed by the call whose outcome is being told.
    printed: CapturedStdout,
}

impl CallStdout {
    pub(super) fn of_this_worker() -> Self {
        Self {
            capture: stdout_capture(),
            running: None,
            printed: CapturedStdout::default(),
        }
    }

    /// The call for item `index` begins, or goes on to its second step.
    #[inline]
    pub(super) fn begin(&mut self, index: ItemIndex) {
        if let Some(capture) = self.capture {
            self.begin_in(capture, index);
        }
    }

    #[cold]
    fn begin_in(&mut self, capture: &StdoutCapture, index: ItemIndex) {
        if self.running.replace(index) != Some(index) {
            capture.begin(index.0);
        }
    }

    /// The call for item `index` has ended, if it is what runs.
    #[inline]
    pub(super) fn end(&mut self, index: ItemIndex) {
        if let Some(capture) = self.capture {
            self.end_in(capture, index);
        }
    }

    #[cold]
    fn end_in(&mut self, capture: &StdoutCapture, index: ItemIndex) {
        if self.running == Some(index) {
            // A copy of this process, which a task has forked, would read what is the worker's.
            mt_ipc::end_copy();
            self.running = None;
            self.printed = capture.end();
        }
    }

    /// What goes with the outcome of the call that has ended.
    #[inline]
    pub(super) fn printed(&self) -> Option<&CapturedStdout> {
        (self.capture.is_some() && !self.printed.is_empty()).then_some(&self.printed)
    }

    /// The outcome of the call that has ended is told.
    #[inline]
    pub(super) fn told(&mut self) {
        if self.capture.is_some() {
            self.printed = CapturedStdout::default();
        }
    }
}
