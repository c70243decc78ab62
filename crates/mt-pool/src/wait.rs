//! Waiting for an outcome on a thread, whatever executor that thread may be part of.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use tokio::task::coop::unconstrained;

/// Wakes a thread that parks.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Polls until ready, parking this thread in between. Unlike `block_on` of most executors it may be
/// used inside itself and inside theirs.
pub(crate) fn wait_here<R>(poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> R {
    let waker = WAKER.with(Waker::clone);
    let mut cx = Context::from_waker(&waker);
    // A task of tokio has a budget of polls, and what it waits for is not ready beyond it until the
    // task yields. This thread does not yield: without the exemption it would park for good.
    let mut polled = pin!(unconstrained(std::future::poll_fn(poll)));
    loop {
        match polled.as_mut().poll(&mut cx) {
            Poll::Ready(ready) => return ready,
            // A wake-up between the poll and this line is kept for it.
            Poll::Pending => thread::park(),
        }
    }
}
