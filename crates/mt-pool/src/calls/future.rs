//! A call that was made, until its outcome is there.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, future::BoxFuture};
use mt_proto::ItemIndex;

use crate::{
    Task, TaskError, TaskErrorKind,
    dispatch::{Apart, Lost},
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
    end: Awaited,
    task: PhantomData<fn() -> T>,
}

enum Awaited {
    /// To come. With nothing of the task's types in it.
    ToCome(BoxFuture<'static, CallEnd>),
    /// Until it is told.
    Refused(Option<Lost>),
}

impl<T: Task> CallFuture<T> {
    pub(super) fn of(end: impl Future<Output = CallEnd> + Send + 'static) -> Self {
        Self {
            end: Awaited::ToCome(end.boxed()),
            task: PhantomData,
        }
    }

    pub(super) fn refused(lost: Lost) -> Self {
        Self {
            end: Awaited::Refused(Some(lost)),
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

impl<T: Task> Future for CallFuture<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let end = match &mut self.end {
            Awaited::ToCome(end) => ready!(end.poll_unpin(cx)),
            Awaited::Refused(lost) => {
                CallEnd::Refused(lost.take().expect("a future was polled after its end"))
            }
        };
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
