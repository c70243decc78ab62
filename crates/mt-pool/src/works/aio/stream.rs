//! The window of works that run, and its results in the order they come.
//!
//! All of it runs on the task of whoever polls it, like a stream of their own: a panic of a work goes through to them.

use std::{
    fmt,
    marker::PhantomData,
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    Stream, StreamExt,
    stream::{FusedStream, FuturesUnordered},
};

use crate::works::null::{KeepNull, NullPolicy};

/// The works begun, and results left out, before the executor gets its turn.
const TURN: usize = 1024;

/// The results of works that run concurrently in this process. Made by
/// [`start`](super::AioWorkGenerator::start).
///
/// Works run while this is polled, and a place is filled again when its result was taken: a slow
/// consumer slows them down, and nothing piles up. `next` is cancel-safe. Dropping it drops the works
/// that run. A work that panics panics in the poll; the others are not affected, and polling may go on.
#[must_use = "works run while the stream is polled"]
pub struct AioWorks<F, Fut: Future, N = KeepNull> {
    func: F,
    ids: Range<u64>,
    pub(super) at_once: usize,
    running: FuturesUnordered<Fut>,
    pub(super) is_fatal: fn(&Fut::Output) -> bool,
    nulls: PhantomData<fn() -> N>,
}

impl<F, Fut: Future, N> AioWorks<F, Fut, N> {
    pub(super) fn new(func: F, ids: Range<u64>, at_once: usize) -> Self {
        Self {
            func,
            ids,
            at_once,
            running: FuturesUnordered::new(),
            is_fatal: |_| false,
            nulls: PhantomData,
        }
    }

    /// The same works with another policy.
    pub(super) fn with_nulls<M>(self) -> AioWorks<F, Fut, M> {
        AioWorks {
            is_fatal: self.is_fatal,
            ..AioWorks::new(self.func, self.ids, self.at_once)
        }
    }

    /// Ends it: nothing more comes out.
    fn stop(&mut self) {
        self.ids = 0..0;
        self.running = FuturesUnordered::new();
    }
}

impl<F, Fut, N> AioWorks<F, Fut, N>
where
    F: FnMut(u64) -> Fut,
    Fut: Future,
{
    /// Begins works until all places are taken, or this turn's share is used up; false in that case.
    fn begin_some(&mut self, left: &mut usize) -> bool {
        while self.running.len() < self.at_once {
            if *left == 0 {
                return self.ids.is_empty();
            }
            *left -= 1;
            let Some(id) = self.ids.next() else { break };
            // guarded: not at all, see above.
            self.running.push((self.func)(id));
        }
        true
    }
}

impl<F, Fut, N> Stream for AioWorks<F, Fut, N>
where
    F: FnMut(u64) -> Fut,
    Fut: Future,
    N: NullPolicy<Fut::Output>,
{
    type Item = N::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<N::Item>> {
        let this = &mut *self;
        let mut left = TURN;
        loop {
            let all_begun = this.begin_some(&mut left);
            // guarded: not at all, see above.
            match this.running.poll_next_unpin(cx) {
                Poll::Ready(Some(returned)) => {
                    // guarded: `Result::is_err` or nothing.
                    if (this.is_fatal)(&returned) {
                        this.stop();
                    }
                    if let Some(item) = N::item(returned) {
                        return Poll::Ready(Some(item));
                    }
                    left = left.saturating_sub(1);
                }
                Poll::Ready(None) if this.ids.is_empty() => return Poll::Ready(None),
                Poll::Pending if all_begun => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => {}
            }
            if left == 0 {
                // guarded: not at all, see above.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // guarded: these are numbers.
        let (_, to_begin) = self.ids.size_hint();
        let most = to_begin.and_then(|works| works.checked_add(self.running.len()));
        (0, most)
    }
}

impl<F, Fut, N> FusedStream for AioWorks<F, Fut, N>
where
    F: FnMut(u64) -> Fut,
    Fut: Future,
    N: NullPolicy<Fut::Output>,
{
    fn is_terminated(&self) -> bool {
        self.ids.is_empty() && self.running.is_empty()
    }
}

/// Nothing in it is pinned: the set keeps its futures in places of their own.
impl<F, Fut: Future, N> Unpin for AioWorks<F, Fut, N> {}

impl<F, Fut: Future, N> fmt::Debug for AioWorks<F, Fut, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AioWorks")
            .field("to_begin", &self.ids)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}
