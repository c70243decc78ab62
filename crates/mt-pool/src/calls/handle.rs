//! A call that goes on by itself.
//!
//! Loop: one a call that was spawned, until its outcome is there; both things it waits for are cancel-safe.

use std::{
    fmt,
    marker::PhantomData,
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{self, Context, Poll},
};

use futures::FutureExt;
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

use super::{future::outcome, request::Request, submitted::Submitted};
use crate::{
    StartError, Task, TaskErrorKind, dispatch::Lost, driver::CallEnd, pmap::Outcome,
    wait::wait_here,
};

/// A call that goes on whether or not anybody waits for it. Made by [`Call::spawn`](super::Call::spawn). A future of its
/// outcome; cancel-safe; dropping it leaves the call alone.
pub struct CallHandle<T> {
    end: JoinHandle<CallEnd>,
    cancel: Arc<Notify>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Task> CallHandle<T> {
    pub(super) fn new(request: Result<Request, Lost>, runtime: &Handle) -> Self {
        let cancel = Arc::new(Notify::new());
        let submitted = request.map_or_else(Submitted::refused, Submitted::of);
        let end = runtime.spawn(until_cancelled(submitted, Arc::clone(&cancel)));
        Self {
            end,
            cancel,
            kind: PhantomData,
        }
    }

    /// Waits for the outcome on the calling thread.
    ///
    /// # Errors
    /// As [`CallFuture`](super::CallFuture) has them.
    pub fn wait(mut self) -> Outcome<T> {
        wait_here(|cx| self.poll_unpin(cx))
    }

    /// Cancels the call, as dropping its future does. Its outcome is then
    /// [`Cancelled`](crate::TaskErrorKind::Cancelled), unless it was there first; it comes when the call is no longer
    /// running, with its process gone if that was killed for it.
    pub fn cancel(&self) {
        self.cancel.notify_one();
    }

    /// Whether the outcome is there.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.end.is_finished()
    }
}

/// What a call comes to; told to cancel, it waits until that is done.
async fn until_cancelled(mut call: Submitted, cancel: Arc<Notify>) -> CallEnd {
    loop {
        // Both are cancel-safe.
        tokio::select! {
            biased;
            end = &mut call => return end,
            () = cancel.notified() => {
                if let Some(end) = call.cancel() {
                    return end;
                }
            }
        }
    }
}

impl<T: Task> Future for CallHandle<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let end = match task::ready!(self.end.poll_unpin(cx)) {
            Ok(end) => end,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The pool's thread has ended before the call was begun.
                Err(_) => {
                    CallEnd::Refused(TaskErrorKind::NotStarted(Arc::new(StartError::PoolClosed)))
                }
            },
        };
        Poll::Ready(outcome::<T>(end))
    }
}

impl<T> fmt::Debug for CallHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle")
            .field("is_finished", &self.end.is_finished())
            .finish_non_exhaustive()
    }
}
