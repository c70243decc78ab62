//! A call that has to wait, until it has ended.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context as PollContext, Poll, ready},
    time::{Duration, Instant},
};

use mt_ipc::Progress;
use mt_proto::{Deadline, Failure};
use tokio::time::Sleep;

use super::{context_batch::ContextBatch, tally, work::NoResult};
use crate::{Task, current::Ambient, worker::caught};

/// A pinned place for one call, used again and again.
pub(super) type Place<F> = Pin<Box<Option<F>>>;

pub(super) struct Running<'a, T: Task, F> {
    /// Until its end.
    pub(super) call: Option<RunningCall<T, F>>,
    pub(super) progress: &'a Progress,
    /// The soft deadline, and when it is.
    pub(super) end: Option<(Duration, Pin<Box<Sleep>>)>,
}

/// What a call has as long as it runs.
pub(super) struct RunningCall<T: Task, F> {
    pub(super) ambient: Ambient,
    /// Where its item is in the order they were sent.
    pub(super) at: u64,
    pub(super) place: Place<F>,
    pub(super) batch: Rc<ContextBatch<T::Context>>,
    pub(super) began: Instant,
}

/// A call that has ended: what it had, and what has become of it.
pub(super) type Ended<T, F> = (RunningCall<T, F>, CallResult<T>);

type CallResult<T> = Result<Result<<T as Task>::Output, <T as Task>::Error>, NoResult>;

impl<T: Task, F> Future for Running<'_, T, F>
where
    F: Future<Output = Result<T::Output, T::Error>>,
{
    type Output = Ended<T, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Self::Output> {
        let progress = self.progress;
        let call = self.call.as_mut().expect("polled after its end");
        let index = call.ambient.index;
        let future = call.place.as_mut().as_pin_mut().expect("set until its end");
        progress.enter(call.at);
        call.ambient.enter();
        let polled = caught(|| future.poll(cx));
        progress.leave();
        Ambient::leave();
        tally::left(index);
        let called = match polled {
            Ok(Poll::Pending) => Err(ready!(self.poll_end(cx)).into()),
            Ok(Poll::Ready(result)) => Ok(result),
            Err(panic) => Err(panic.into()),
        };
        Poll::Ready((self.call.take().expect("still here"), called))
    }
}

impl<T: Task, F> Running<'_, T, F> {
    /// Time in which the call could not run does not count.
    pub(super) fn forgive(&mut self, time: Duration) {
        if let Some((_, sleep)) = &mut self.end {
            let due = sleep.deadline() + time;
            sleep.as_mut().reset(due);
        }
        if let Some(due) = self
            .call
            .as_mut()
            .and_then(|call| call.ambient.soft_due.as_mut())
        {
            *due += time;
        }
    }

    fn poll_end(&mut self, cx: &mut PollContext<'_>) -> Poll<Failure> {
        let Some((limit, sleep)) = &mut self.end else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(Failure::TimedOut {
            deadline: Deadline::Soft,
            limit: *limit,
        })
    }
}

impl<T: Task, F> Unpin for Running<'_, T, F> {}
