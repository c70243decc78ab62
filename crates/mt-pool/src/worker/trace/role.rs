//! The events of a worker process that is something else than a pool's worker, for whoever moves its messages.

use mt_ipc::Progress;
use mt_proto::{Frame, FromWorker, Notice, TraceLevel};

use super::{Journal, Pace, TraceBatch, due};

/// The events of this process on their way to the parent.
#[derive(Debug)]
pub struct RoleTrace {
    journal: Option<&'static Journal>,
    pace: Pace,
}

impl RoleTrace {
    /// For a parent that wants events of this level and more important ones, or none. To be called before
    /// user code runs.
    #[must_use]
    pub fn open(least: Option<TraceLevel>, progress: &Progress) -> Self {
        Self {
            journal: Journal::open(least, progress),
            pace: Pace::default(),
        }
    }

    /// Waits until there is something to be sent. Cancel-safe.
    pub async fn due(&self) {
        due(self.journal, &self.pace).await;
    }

    /// What is to be sent, if there is something.
    pub fn take(&mut self) -> Option<Frame> {
        let TraceBatch { events, dropped } = self.journal?.take(&mut self.pace)?;
        let notice = Notice::Trace { events, dropped };
        Some(FromWorker::Notice(notice).into_frame())
    }
}
