//! Runs whose input borrows, in a scope that they do not outlive.

use std::{io, marker::PhantomData, sync::Arc, thread};

use mt_proto::{CrossesAs, Kept};

use super::builder::AsynPmap;
use crate::{
    Task, Wire,
    input::{Asked, FeedEnd, Feedable, GoingRuns, RunInput, exact_len, spawn_scoped_feeder},
    supervision::{END_WAIT, EndWatch},
};

/// Runs whose input may borrow from outside of the scope: a slice is mapped without a copy of it.
///
/// In the scope, [`asyn_pmap`](Scope::asyn_pmap) is what [`asyn_pmap`](crate::asyn_pmap()) is outside, with all its options, and
/// items need not be the task's own: references are encoded where they are.
///
/// ```
/// # // Case M233: An input that borrows is mapped in a scope, without a copy of it.
/// struct Document { title: &'static str, text: String }
///
/// #[mt_pool::task]
/// fn count_words(text: String) -> usize {
///     text.split_whitespace().count()
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let documents = [
///         Document { title: "short", text: "to be or".into() },
///         Document { title: "shorter", text: "not".into() },
///     ];
///     let words = mt_pool::scope(|s| -> anyhow::Result<Vec<usize>> {
///         let texts = documents.iter().map(|document| &document.text);
///         let run = s.asyn_pmap::<count_words>(texts).processes(2).start()?;
///         Ok(run.into_iter().collect::<Result<_, _>>()?)
///     })?;
///     assert_eq!(words, [3, 1]);
///     assert_eq!(documents[1].title, "shorter"); // still ours
///     Ok(())
/// }
/// ```
///
/// # The end of a scope
/// A run can't leave its scope; that is a compile error. Runs that were [forgotten](std::mem::forget) in it are cancelled when
/// `f` has returned or panicked. The scope returns when every input was let go of: when the threads that pull them are
/// out of it, and have dropped it. So it blocks for as long as an iterator does not come back from `next`, also after the
/// run was dropped. End what it waits for inside the scope: drop the sender of its channel there.
///
/// In async code a scope holds up its thread, as any blocking loop does: use it in `spawn_blocking` or
/// `block_in_place`, or give an input that borrows nothing to [`asyn_pmap`](crate::asyn_pmap()). Streams are for the latter only.
///
/// # Panics
/// When `f` does, with what it panics with.
pub fn scope<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&Scope<'scope, 'env>) -> R,
{
    thread::scope(|threads| {
        f(&Scope {
            threads,
            runs: Arc::default(),
        })
    })
}

/// Where runs may borrow their input from outside. Made by [`scope()`]. `'env` is for what is borrowed, `'scope` is the
/// time until the scope returns, and for that alone its runs can be kept.
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    threads: &'scope thread::Scope<'scope, 'env>,
    runs: Arc<GoingRuns>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Maps the task `T` over an input that may borrow from outside of the scope, in worker processes.
    ///
    /// The input is any `IntoIterator` whose iterator is `Send`. Its items [cross](CrossesAs) as the task's: they are these,
    /// or references to them; `&str` where the task takes a `String`, `&[E]` for a `Vec<E>`. Nothing happens until
    /// [`start`](AsynPmap::start).
    pub fn asyn_pmap<T: Task>(
        &self,
        input: impl IntoIterator<IntoIter: Send + 'scope, Item: CrossesAs<T::Input>>,
    ) -> AsynPmap<T, RunInput<'scope>> {
        AsynPmap::new(RunInput::new(ScopedInput {
            iter: Kept::new(input.into_iter()),
            threads: self.threads,
            runs: Arc::clone(&self.runs),
            item: PhantomData::<fn(T::Input)>,
        }))
    }

    /// [`asyn_pmap`](Self::asyn_pmap) for a task that is a value: one made by [`inline_task!`](macro@crate::inline_task!).
    pub fn asyn_pmap_with<T: Task>(
        &self,
        _task: T,
        input: impl IntoIterator<IntoIter: Send + 'scope, Item: CrossesAs<T::Input>>,
    ) -> AsynPmap<T, RunInput<'scope>> {
        self.asyn_pmap::<T>(input)
    }
}

/// The threads that pull inputs are waited for after this. Those of runs that nobody has any more wait for room, and are
/// told here.
impl Drop for Scope<'_, '_> {
    fn drop(&mut self) {
        for run in self.runs.end(Asked::Cancel) {
            run.end.wait_on_drop(END_WAIT);
        }
    }
}

/// An input whose items cross as an `I`, pulled by a thread of the scope.
struct ScopedInput<'scope, 'env, I, It> {
    iter: Kept<It>,
    threads: &'scope thread::Scope<'scope, 'env>,
    runs: Arc<GoingRuns>,
    item: PhantomData<fn(I)>,
}

impl<'scope, I, It> Feedable for ScopedInput<'scope, '_, I, It>
where
    I: Wire,
    It: Iterator<Item: CrossesAs<I>> + Send + 'scope,
{
    fn len(&self) -> Option<u64> {
        // guarded: there.
        exact_len(|| self.iter.size_hint())
    }

    fn start(
        self: Box<Self>,
        feed: FeedEnd,
        end: &EndWatch,
        max_item_bytes: usize,
    ) -> io::Result<()> {
        let control = feed.control();
        if !self.runs.enter(&control, end) {
            // Started from inside an input, after the scope's closure has returned.
            control.ask(Asked::Cancel);
        }
        spawn_scoped_feeder::<I, _>(self.threads, self.iter, feed, max_item_bytes)
    }
}
