//! A call that has to wait, until it has ended.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context as PollContext, Poll, ready},
    time::Duration,
};

use mt_proto::{Deadline, Failure, ItemIndex};
use tokio::time::Sleep;

use super::{context_batch::ContextBatch, tally};
use crate::{Task, current::Ambient, worker::caught};

/// A pinned place for one call, used again and again.
pub(super) type Place<F> = Pin<Box<Option<F>>>;

pub(super) struct Running<'a, T: Task, F> {
    pub(super) ambient: Ambient,
    /// Where its item is in the order they were sent.
    pub(super) at: u64,
    pub(super) progress: &'a mt_ipc::Progress,
    pub(super) place: Option<Place<F>>,
    pub(super) batch: Option<Rc<ContextBatch<T::Context>>>,
    pub(super) began: std::time::Instant,
    /// The soft deadline, and when it is.
    pub(super) end: Option<(Duration, Pin<Box<Sleep>>)>,
}

/// A call that has ended, with what it no longer needs.
pub(super) struct Ended<T: Task, F> {
    pub(super) index: ItemIndex,
    pub(super) began: std::time::Instant,
    pub(super) place: Place<F>,
    pub(super) batch: Rc<ContextBatch<T::Context>>,
    pub(super) called: Result<Result<T::Output, T::Error>, Failure>,
}

impl<T: Task, F> Future for Running<'_, T, F>
where
    F: Future<Output = Result<T::Output, T::Error>>,
{
    type Output = Ended<T, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Self::Output> {
        self.progress.enter(self.at);
        self.ambient.enter();
        let place = self.place.as_mut().expect("polled after its end");
        let call = place.as_mut().as_pin_mut().expect("set until its end");
        let polled = caught(|| call.poll(cx));
        self.progress.leave();
        Ambient::leave();
        tally::left(self.ambient.index);
        let called = match polled {
            Ok(Poll::Pending) => Err(ready!(self.poll_end(cx))),
            Ok(Poll::Ready(result)) => Ok(result),
            Err(failure) => Err(failure),
        };
        let place = self.place.take().expect("still here");
        let batch = self.batch.take().expect("as long as its place");
        Poll::Ready(Ended {
            index: self.ambient.index,
            began: self.began,
            place,
            batch,
            called,
        })
    }
}

impl<T: Task, F> Running<'_, T, F> {
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
