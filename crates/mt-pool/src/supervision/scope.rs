//! The `tracing` subscriber and the span of whoever has started a run.

use tracing::{
    Dispatch, Span,
    dispatcher::{get_default, with_default},
    subscriber::NoSubscriber,
};

/// Where the run was started, for the events of its own threads.
#[derive(Debug, Clone)]
pub(crate) struct CallScope {
    dispatch: Dispatch,
    span: Span,
}

impl CallScope {
    /// The scope of the calling thread.
    pub(crate) fn current() -> Self {
        Self {
            dispatch: get_default(Dispatch::clone),
            span: Span::current(),
        }
    }

    /// Whether anybody listens.
    pub(crate) fn is_listening(&self) -> bool {
        !self.dispatch.is::<NoSubscriber>()
    }

    /// Runs something in this scope.
    pub(crate) fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        with_default(&self.dispatch, || self.span.in_scope(run))
    }
}
