//! Ending a run from elsewhere.

use std::sync::Arc;

use crate::input::{Asked, Exchange};

/// Ends a run from anywhere: another thread, a signal handler's task, a callback. Made by
/// [`Pmap::handle`](crate::Pmap::handle); cheap to clone. Does nothing once the run is over.
#[derive(Debug, Clone)]
pub struct RunHandle {
    exchange: Arc<Exchange>,
}

impl RunHandle {
    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self { exchange }
    }

    /// Pulls nothing more from the input; everything that was pulled is still done. May be called more
    /// than once.
    ///
    /// An item that the input is in the middle of yielding is not part of the run any more.
    pub fn close(&self) {
        self.exchange.ask(Asked::Close);
    }

    /// Ends the run at once: what runs is killed, and every item that was pulled and has no outcome yet gets
    /// [`Cancelled`](crate::TaskErrorKind::Cancelled) once its worker is gone. May be called more than
    /// once, also after [`close`](Self::close).
    pub fn cancel(&self) {
        self.exchange.ask(Asked::Cancel);
    }
}
