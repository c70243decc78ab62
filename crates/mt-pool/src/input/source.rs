//! What can be an input: anything iterable, and any stream.

use std::{
    any::TypeId,
    collections::vec_deque,
    ops::{Range, RangeInclusive},
    pin::Pin,
    vec,
};

use futures::Stream;
use mt_proto::guarded;

/// Where items come from: made by [`IntoInput`].
pub enum Source<I> {
    /// Pulled by a thread of its own, so it may block.
    Iter(Box<dyn Iterator<Item = I> + Send>),
    /// The same, of something that is all in memory and never blocks: pulled by the hundreds.
    Memory(Box<dyn Iterator<Item = I> + Send>),
    /// Polled by a thread of its own, inside the caller's tokio runtime if there is one. It is dropped when the run
    /// ends, also if it yields nothing.
    Stream(Pin<Box<dyn Stream<Item = I> + Send>>),
}

impl<I> Source<I> {
    /// How many items there are, if the input says so exactly.
    pub(crate) fn len(&self) -> Option<u64> {
        exact_len(|| match self {
            // guarded: there.
            Self::Iter(iter) | Self::Memory(iter) => iter.size_hint(),
            // guarded: there.
            Self::Stream(stream) => stream.size_hint(),
        })
    }
}

/// The length that a size hint of the user's tells exactly, if it does.
pub(crate) fn exact_len(hint: impl FnOnce() -> (usize, Option<usize>)) -> Option<u64> {
    let (least, most) = guarded(hint).ok()?;
    (most == Some(least)).then_some(least as u64)
}

/// Anything that can be mapped: every `IntoIterator`, and a stream wrapped by [`from_stream`].
///
/// An input is pulled in a thread of its own and only when there is room, so it may be infinite, slow or
/// blocking. An iterator that never returns from `next` keeps its thread, also after the run has ended, for a thread
/// can't be taken out of a call: end what it waits for (drop the sender of its channel), or make it a stream, which is
/// dropped with the run.
///
/// An input that borrows is for a [`scope`](crate::scope()), which takes every `IntoIterator`.
pub trait IntoInput<I> {
    /// Turns it into a source.
    fn into_source(self) -> Source<I>;
}

impl<I, T> IntoInput<I> for T
where
    T: IntoIterator<Item = I>,
    T::IntoIter: Send + 'static,
    I: 'static,
{
    fn into_source(self) -> Source<I> {
        let iter = Box::new(self.into_iter());
        if is_in_memory::<T::IntoIter, I>() {
            Source::Memory(iter)
        } else {
            Source::Iter(iter)
        }
    }
}

/// Whether an iterator is one of those that only walk over what is there.
fn is_in_memory<T: 'static, I: 'static>() -> bool {
    let known = [
        TypeId::of::<Range<I>>(),
        TypeId::of::<RangeInclusive<I>>(),
        TypeId::of::<vec::IntoIter<I>>(),
        TypeId::of::<vec_deque::IntoIter<I>>(),
    ];
    known.contains(&TypeId::of::<T>())
}

/// A stream as an input. See [`from_stream`].
#[derive(Debug)]
pub struct FromStream<S>(S);

/// Makes a stream an input.
///
/// The stream is polled inside the caller's tokio runtime if there is one, so its timers and sockets work, and dropped when the
/// run ends: when its outcomes are dropped, when the run is cancelled, closed or interrupted, also if it has nothing to
/// yield. A stream that blocks in `poll_next` keeps its thread, as an iterator does.
///
/// A stream needs its runtime to turn. Where that has one thread only (`#[tokio::main(flavor = "current_thread")]`,
/// `#[tokio::test]`), take the outcomes by `next().await`. A `for` loop over them blocks that thread, and then a stream
/// that waits for a timer or a socket would wait for ever: when the loop has taken all there is and the stream has
/// nothing ready, the run ends with one [`InputBlocked`](crate::TaskErrorKind::InputBlocked) in place of the item that
/// can't come. On a runtime of several threads a `for` loop holds up only the thread it is on; if all of them are held up
/// so, nobody is left who could notice.
///
/// ```
/// use futures::{StreamExt, stream};
/// use mt_pool::{asyn_pmap, from_stream};
///
/// #[mt_pool::task]
/// fn double(n: u64) -> u64 {
///     2 * n
/// }
///
/// #[mt_pool::main]
/// async fn main() -> anyhow::Result<()> {
///     let numbers = stream::iter(0..4);
///     let doubled: Vec<u64> =
///         asyn_pmap::<double>(from_stream(numbers)).start()?.map(Result::unwrap).collect().await;
///     assert_eq!(doubled, [0, 2, 4, 6]);
///     Ok(())
/// }
/// ```
pub fn from_stream<S: Stream + Send + 'static>(stream: S) -> FromStream<S> {
    FromStream(stream)
}

impl<I, S> IntoInput<I> for FromStream<S>
where
    S: Stream<Item = I> + Send + 'static,
{
    fn into_source(self) -> Source<I> {
        Source::Stream(Box::pin(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_blocks_is_in_memory() {
        let in_memory = |source: Source<u64>| matches!(source, Source::Memory(_));
        assert!(in_memory((0..3u64).into_source()));
        assert!(in_memory((0..=3u64).into_source()));
        assert!(in_memory(vec![1u64].into_source()));
        assert!(!in_memory((0..3u64).map(|n| n + 1).into_source()));
        assert!(!in_memory(std::iter::from_fn(|| Some(1u64)).into_source()));
    }
}
