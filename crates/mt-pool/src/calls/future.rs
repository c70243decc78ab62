//! A call that was made, until its outcome is there.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::FutureExt;
use mt_proto::ItemIndex;

use super::submitted::Submitted;
use crate::{
    Task, TaskError, TaskErrorKind,
    dispatch::Apart,
    driver::CallEnd,
    executor::CallHead,
    pmap::{Outcome, apart_outcome, record_outcome},
    wait::wait_here,
};

/// The outcome of a call, as a future: `Send`, of any executor, and cancel-safe in that it does not matter how often it is
/// polled. Dropping it cancels the call: one that waits is not called any more; a call of an `async fn` that goes on is
/// dropped where it waits; a plain function, or anything that keeps its worker's thread, may go on for 100 ms, and then
/// ends with its process. Other calls that were in that worker are made again.
///
/// # Errors
/// [`TaskError`], as items of runs have it; [`NotStarted`](TaskErrorKind::NotStarted) when the pool is closed or can't
/// start workers.
#[must_use = "dropping a call's future cancels the call"]
pub struct CallFuture<T> {
    call: Submitted,
    task: PhantomData<fn() -> T>,
}

impl<T: Task> CallFuture<T> {
    pub(super) fn of(call: Submitted) -> Self {
        Self {
            call,
            task: PhantomData,
        }
    }

    /// Waits for the outcome on the calling thread, as [`Call::wait`](super::Call::wait).
    ///
    /// # Errors
    /// As the future has them.
    pub fn wait(mut self) -> Outcome<T> {
        wait_here(|cx| self.poll_unpin(cx))
    }
}

impl<T> CallFuture<T> {
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<CallEnd> {
        self.call.poll_unpin(cx)
    }
}

impl<T: Task> Future for CallFuture<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let end = ready!(self.poll_end(cx));
        Poll::Ready(outcome::<T>(end))
    }
}

/// What a call has come to.
pub(super) fn outcome<T: Task>(end: CallEnd) -> Outcome<T> {
    match end {
        CallEnd::Told(index, record) => record_outcome::<T>(index, &record),
        CallEnd::Apart(mut apart) => {
            strip_head(&mut apart);
            apart_outcome::<T>(*apart)
        }
        CallEnd::Refused(lost) => Err(TaskError::new(
            ItemIndex(0),
            lost.map(|never| match *never {}),
        )
        .with_history(0, None)),
        CallEnd::Cancelled => Err(TaskError::new(ItemIndex(0), TaskErrorKind::Cancelled)),
    }
}

/// The item of an error is the call's input, without what was put before it.
fn strip_head(apart: &mut Apart) {
    if let Some(payload) = &mut apart.payload
        && let Some((_, input)) = CallHead::read(&payload.bytes)
    {
        payload.bytes = payload.bytes.slice_ref(input);
    }
}

impl<T> fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}
