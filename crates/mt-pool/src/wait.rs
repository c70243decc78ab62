//! Streams as iterators: waiting for an item on a thread, whatever executor that thread may be part of.

use std::{
    iter::FusedIterator,
    ops::Deref,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use futures::{Stream, StreamExt};
use tokio::task::coop::unconstrained;

/// A stream as an iterator that waits for each item on the calling thread: the `IntoIter` of this crate's
/// streams. What a stream tells about itself, its iterator tells too.
///
/// May be used inside a tokio runtime, but holds up the thread it is used on.
#[derive(Debug)]
#[must_use = "iterators are lazy, and dropping a run ends it"]
pub struct Blocking<S> {
    stream: S,
}

impl<S: Stream + Unpin> Blocking<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream }
    }
}

impl<S: Stream + Unpin> Iterator for Blocking<S> {
    type Item = S::Item;

    #[inline]
    fn next(&mut self) -> Option<S::Item> {
        // Mostly an item is there. This thread's waker would cost as much as taking it.
        let mut nobody = Context::from_waker(Waker::noop());
        match self.stream.poll_next_unpin(&mut nobody) {
            Poll::Ready(item) => item,
            Poll::Pending => wait_here(|cx| self.stream.poll_next_unpin(cx)),
        }
    }
}

/// Streams of this crate end once.
impl<S: Stream + Unpin> FusedIterator for Blocking<S> {}

impl<S> Deref for Blocking<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.stream
    }
}

/// Makes a type a `Stream` of items, by how it is polled, and an iterator that waits for each by `into_iter`.
macro_rules! stream {
    ([$($generics:tt)*] $stream:ty => $item:ty, |$this:ident, $cx:ident| $poll:expr) => {
        impl<$($generics)*> ::futures::Stream for $stream {
            type Item = $item;

            #[inline]
            fn poll_next(
                mut self: ::std::pin::Pin<&mut Self>,
                $cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<Option<$item>> {
                let $this = &mut *self;
                $poll
            }
        }

        impl<$($generics)*> IntoIterator for $stream {
            type Item = $item;
            type IntoIter = $crate::Blocking<Self>;

            fn into_iter(self) -> $crate::Blocking<Self> {
                $crate::Blocking::new(self)
            }
        }
    };
}

pub(crate) use stream;

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
