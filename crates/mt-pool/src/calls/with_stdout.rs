//! A call that was made, until its outcome is there and what it has printed.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::FutureExt;
use mt_proto::CapturedStdout;

use super::{
    call::Call,
    future::{CallFuture, outcome},
    request::not_started,
    submitted::Submitted,
};
use crate::{
    Pool, StartError, Task, driver::CallEnd, pmap::Outcome, task::TaskStyle, wait::wait_here,
};

/// The outcome of a call with what the call has printed, as a future. Made by [`Call::with_stdout`]; what is said of
/// [`CallFuture`] holds for this too.
#[must_use = "dropping a call's future cancels the call"]
pub struct CallWithStdout<T>(CallFuture<T>);

impl<T: Task> CallWithStdout<T> {
    pub(super) fn of(pool: &Pool, call: Call<T>) -> Self {
        Self(match check::<T>(pool) {
            Ok(()) => call.into_future(),
            Err(error) => CallFuture::of(Submitted::refused(not_started(error))),
        })
    }

    /// Waits for both on the calling thread, as [`Call::wait`] does.
    pub fn wait(mut self) -> (Outcome<T>, CapturedStdout) {
        wait_here(|cx| self.poll_unpin(cx))
    }
}

/// Whether there is anything to tell.
fn check<T: Task>(pool: &Pool) -> Result<(), StartError> {
    let (option, problem) = match T::STYLE {
        _ if !pool.captures_stdout() => (
            "workers.stdout",
            "is not `WorkerStdout::Capture` in this pool, so nothing is known of what a call prints",
        ),
        TaskStyle::Async => (
            "workers.stdout",
            "captures what calls of plain functions print; those of an `async fn` share their worker's thread",
        ),
        TaskStyle::Sync => return Ok(()),
    };
    let problem = problem.to_owned();
    Err(StartError::Option { option, problem })
}

fn printed(end: &CallEnd) -> CapturedStdout {
    match end {
        CallEnd::Told(_, record) => record.tally().stdout(),
        CallEnd::Apart(apart) => apart.printed(),
        CallEnd::Refused(_) | CallEnd::Cancelled => CapturedStdout::default(),
    }
}

impl<T: Task> Future for CallWithStdout<T> {
    type Output = (Outcome<T>, CapturedStdout);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let end = ready!(self.0.poll_end(cx));
        let stdout = printed(&end);
        Poll::Ready((outcome::<T>(end), stdout))
    }
}

impl<T> fmt::Debug for CallWithStdout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallWithStdout").finish_non_exhaustive()
    }
}
