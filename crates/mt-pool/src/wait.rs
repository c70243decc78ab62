//! Streams as iterators: waiting for an item on a thread, whatever executor that thread may be part of.

use std::{
    cell::Cell,
    iter::FusedIterator,
    ops::Deref,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use futures::{Stream, StreamExt};
use tokio::{
    runtime::{self, Handle, RuntimeFlavor},
    task::coop::{poll_proceed, unconstrained},
};

/// A stream as an iterator that waits for each item on the calling thread: the `IntoIter` of this crate's
/// streams. What a stream tells about itself, its iterator tells too.
///
/// May be used inside a tokio runtime, but holds up the thread it is used on, and with it a runtime that has no other:
/// other tasks of that do not go on meanwhile, and a run whose input is a [stream](crate::from_stream) that waits for
/// that runtime ends with [`InputBlocked`](crate::TaskErrorKind::InputBlocked). Inside async code `next().await` holds up
/// nothing.
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
        // guarded: in our streams, which are all that is polled here.
        match self.stream.poll_next_unpin(&mut nobody) {
            Poll::Ready(item) => item,
            // guarded: the same.
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

/// More polls than tokio allows a task in one turn, which are 128.
const MOST_BUDGET: usize = 256;

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
    /// The runtime of one thread that does not turn because this thread waits, and is its thread.
    static HELD_UP: Cell<Option<runtime::Id>> = const { Cell::new(None) };
}

/// The runtime that is held up by this thread's waiting, if it is one that has no other.
pub(crate) fn held_up() -> Option<runtime::Id> {
    HELD_UP.get()
}

/// Says what is held up, as long as this lives.
struct HoldUp;

impl HoldUp {
    fn begin() -> Self {
        let inside = Handle::try_current().ok();
        let alone = |inside: &Handle| inside.runtime_flavor() == RuntimeFlavor::CurrentThread;
        let held_up = inside.filter(alone).filter(|_| is_in_a_task());
        HELD_UP.set(held_up.map(|runtime| runtime.id()));
        Self
    }
}

/// Whether this thread is inside a task of a runtime, and not one that only may use it, as `spawn_blocking` makes them.
/// Tokio does not say so, but holds tasks, and nothing else, to a budget of polls.
pub(crate) fn is_in_a_task() -> bool {
    let mut nobody = Context::from_waker(Waker::noop());
    let mut taken = Vec::with_capacity(MOST_BUDGET);
    let is_held = loop {
        match poll_proceed(&mut nobody) {
            Poll::Ready(one) if taken.len() < MOST_BUDGET => taken.push(one),
            Poll::Ready(_) => break false,
            Poll::Pending => break true,
        }
    };
    // Each gives back what was left when it was taken: the last one first.
    while taken.pop().is_some() {}
    is_held
}

impl Drop for HoldUp {
    fn drop(&mut self) {
        HELD_UP.set(None);
    }
}

/// Polls until ready, parking this thread in between. Unlike `block_on` of most executors it may be
/// used inside itself and inside theirs.
pub(crate) fn wait_here<R>(poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> R {
    let waker = WAKER.with(Waker::clone);
    let _held_up = HoldUp::begin();
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

#[cfg(test)]
mod tests {
    use tokio::{
        runtime::Builder,
        task::{coop::has_budget_remaining, spawn_blocking},
    };

    use super::*;

    #[test]
    fn a_task_is_told_from_a_thread_that_may_use_its_runtime_and_keeps_its_budget() {
        assert!(!is_in_a_task());
        let runtime = Builder::new_current_thread()
            .build()
            .expect("it needs nothing");
        {
            let _inside = runtime.enter();
            assert!(!is_in_a_task());
        }
        runtime.block_on(async {
            for _ in 0..10 {
                assert!(is_in_a_task() && has_budget_remaining());
            }
            let spawned = tokio::spawn(async { is_in_a_task() });
            assert!(spawned.await.expect("no panic"));
            let beside = spawn_blocking(is_in_a_task);
            assert!(!beside.await.expect("no panic"));
        });
    }
}
