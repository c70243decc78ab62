//! Streams of works against futures that the test controls.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::{pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
};

use futures::{
    FutureExt, StreamExt, TryStreamExt, channel::oneshot, executor::block_on, stream::FusedStream,
};

use super::*;

/// Polls once, with a waker that does nothing.
fn poll<S: futures::Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    stream.poll_next_unpin(&mut PollContext::from_waker(Waker::noop()))
}

/// Makes the stream of an open description, without nulls.
fn start<F, Fut, T>(generator: AioWorkGenerator<F, Fut>) -> AioWorks<F, Fut, SkipNull>
where
    F: FnMut(u64) -> Fut,
    Fut: Future<Output: Nullable<Value = T>>,
{
    generator.skip_null().start().unwrap()
}

/// Works that finish when they are told to.
#[derive(Default)]
struct Gates {
    open: RefCell<Vec<Option<oneshot::Sender<()>>>>,
    alive: Rc<Cell<usize>>,
    polls: Rc<Cell<usize>>,
}

/// Counts a work as long as it lives.
struct Alive(Rc<Cell<usize>>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Gates {
    /// Begins a work: the ids have to come in order.
    fn work(&self, id: u64) -> impl Future<Output = Option<u64>> + use<> {
        let (open, mut gate) = oneshot::channel();
        assert_eq!(self.open.borrow().len() as u64, id);
        self.open.borrow_mut().push(Some(open));
        self.alive.set(self.alive.get() + 1);
        let alive = Alive(Rc::clone(&self.alive));
        let polls = Rc::clone(&self.polls);
        futures::future::poll_fn(move |cx| {
            let _ = &alive;
            polls.set(polls.get() + 1);
            gate.poll_unpin(cx).map(|told| told.ok().map(|()| id))
        })
    }

    fn begun(&self) -> usize {
        self.open.borrow().len()
    }

    fn finish(&self, id: usize) {
        let gate = self.open.borrow_mut()[id].take();
        gate.expect("finished once").send(()).expect("it runs");
    }
}

/// Case M121: Works as futures of this process come as they finish, and places are filled again.
#[test]
fn results_come_as_they_finish_and_places_are_filled_again() {
    let gates = Gates::default();
    let mut works = start(aio_work_generator(|id| gates.work(id), 5).max_concurrency(3));
    assert_eq!(gates.begun(), 0, "nothing before the first poll");
    assert_eq!(poll(&mut works), Poll::Pending);
    assert_eq!(gates.begun(), 3);
    gates.finish(2);
    gates.finish(0);
    assert_eq!(poll(&mut works), Poll::Ready(Some(2)));
    assert_eq!(gates.begun(), 3, "its place is filled when one is wanted");
    assert_eq!(poll(&mut works), Poll::Ready(Some(0)));
    assert_eq!(gates.begun(), 4);
    assert_eq!(poll(&mut works), Poll::Pending);
    assert_eq!((gates.begun(), gates.alive.get()), (5, 3));
    for id in [4, 1, 3] {
        gates.finish(id);
        assert_eq!(poll(&mut works), Poll::Ready(Some(id as u64)));
    }
    assert!(works.is_terminated());
    assert_eq!(poll(&mut works), Poll::Ready(None));
    assert_eq!(gates.alive.get(), 0);
}

/// Case M122: There are never more of them at once than `max_concurrency`.
#[test]
fn never_more_at_once_than_allowed_however_many_works() {
    for at_once in [1, 7, 1024] {
        let most = Cell::new(0);
        let running = Cell::new(0_usize);
        let work = async |id: u64| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            for _ in 0..id % 3 {
                tokio::task::yield_now().await;
            }
            running.set(running.get() - 1);
            Some(id)
        };
        let works = start(aio_work_generator(work, u64::MAX).max_concurrency(at_once));
        let ids: BTreeSet<u64> = block_on(works.take(10_000).collect());
        assert_eq!(ids.len(), 10_000);
        assert!(most.get() <= at_once, "{} of {at_once}", most.get());
    }
}

#[test]
fn all_at_once_when_there_is_no_limit() {
    let gates = Gates::default();
    let generator = aio_work_generator(|id| gates.work(id), 5000);
    let mut works = start(generator.max_concurrency(None));
    while gates.begun() < 5000 {
        assert_eq!(poll(&mut works), Poll::Pending);
    }
    assert_eq!(gates.alive.get(), 5000);
    drop(works);
    assert_eq!(gates.alive.get(), 0, "dropped with the stream");
}

/// What the seed's window costs: there every completion looks at all that run.
#[test]
fn a_completion_costs_the_same_in_a_small_and_a_large_window() {
    for at_once in [10, 2000] {
        let gates = Gates::default();
        let generator = aio_work_generator(|id| gates.work(id), 4000);
        let mut works = start(generator.max_concurrency(at_once));
        while gates.begun() < at_once {
            assert_eq!(poll(&mut works), Poll::Pending);
        }
        for id in 0..4000 {
            gates.finish(id);
            while poll(&mut works) == Poll::Pending {}
        }
        assert_eq!(gates.polls.get(), 2 * 4000, "once to begin, once to end");
    }
}

/// Case M126: `None`s are left out with `skip_null`, and kept without.
#[test]
fn nulls_are_skipped_or_kept() {
    let odd = |id: u64| ready((id % 2 == 1).then_some(id));
    let skipped = block_on(start(aio_work_generator(odd, 6)).collect::<BTreeSet<u64>>());
    assert_eq!(skipped, BTreeSet::from([1, 3, 5]));
    let kept = aio_work_generator(odd, 6).start().unwrap();
    let kept: Vec<Option<u64>> = block_on(kept.collect());
    let nulls = kept.iter().filter(|value| value.is_none()).count();
    assert_eq!((nulls, kept.len()), (3, 6));
}

#[test]
fn a_function_that_knows_no_null_keeps_what_it_returns() {
    let works = aio_work_generator(async |id| id + 1, 3).start().unwrap();
    let values = block_on(works.collect::<BTreeSet<u64>>());
    assert_eq!(values, BTreeSet::from([1, 2, 3]));
}

#[test]
fn millions_of_nulls_leave_the_executor_its_turn() {
    let begun = Cell::new(0_u64);
    let nothing = |_| {
        begun.set(begun.get() + 1);
        ready(None::<()>)
    };
    let mut works = start(aio_work_generator(nothing, 1_000_000));
    assert_eq!(poll(&mut works), Poll::Pending);
    assert!(begun.get() < 10_000, "{}", begun.get());
    assert_eq!(block_on(works.count()), 0);
    assert_eq!(begun.get(), 1_000_000);
}

async fn checked(id: u64) -> Result<Option<u64>, String> {
    match id % 3 {
        0 => Ok(Some(id)),
        1 => Ok(None),
        _ => Err(format!("work {id}")),
    }
}

#[test]
fn an_error_is_an_item() {
    let works = start(aio_work_generator(checked, 9));
    let results: Vec<Result<u64, String>> = block_on(works.collect());
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (3, 3));
}

/// Case M123: `fail_fast` ends them at the first error.
#[test]
fn the_first_error_ends_it_if_so_wanted() {
    let gates = Gates::default();
    let func = |id| {
        let gate = gates.work(id);
        async move {
            match gate.await {
                Some(1) => Err("one"),
                id => Ok(id),
            }
        }
    };
    let generator = aio_work_generator(func, 100).max_concurrency(4);
    let mut works = start(generator.fail_fast());
    assert_eq!(poll(&mut works), Poll::Pending);
    gates.finish(0);
    assert_eq!(poll(&mut works), Poll::Ready(Some(Ok(0))));
    gates.finish(1);
    assert_eq!(poll(&mut works), Poll::Ready(Some(Err("one"))));
    assert_eq!(gates.alive.get(), 0, "what ran was dropped");
    assert_eq!(poll(&mut works), Poll::Ready(None));
    assert_eq!(gates.begun(), 5);
}

#[test]
fn the_adapters_for_results_fit() {
    let works = start(aio_work_generator(checked, 9));
    let first: Result<Vec<u64>, String> = block_on(works.try_collect());
    assert_eq!(first, Err("work 2".into()));
}

/// Case M124: A panic of one comes out of the poll, and the others go on.
#[test]
fn a_panic_costs_the_work_that_panics() {
    let work = async |id| {
        assert_ne!(id, 1, "as told");
        Some(id)
    };
    let mut works = start(aio_work_generator(work, 3));
    let mut results = Vec::new();
    loop {
        match catch_unwind(AssertUnwindSafe(|| poll(&mut works))) {
            Ok(Poll::Ready(Some(id))) => results.push(id),
            Ok(Poll::Ready(None)) => break,
            Ok(Poll::Pending) | Err(_) => {}
        }
    }
    assert_eq!(results, [0, 2]);
}

#[test]
fn no_places_are_refused_and_no_works_are_not() {
    let refused = aio_work_generator(|_| ready(()), 1).max_concurrency(0);
    let error = refused.start().unwrap_err().to_string();
    assert!(error.contains("`max_concurrency` is 0"), "{error}");
    let none = start(aio_work_generator(|_| pending::<Option<()>>(), 0));
    assert_eq!(block_on(none.count()), 0);
}

#[tokio::test]
async fn it_can_be_a_task_of_its_own() {
    let by = 3;
    let works = start(aio_work_generator(move |id| ready(Some(id * by)), 100));
    let sum = tokio::spawn(works.fold(0, async |sum, value| sum + value));
    assert_eq!(sum.await.unwrap(), 3 * 99 * 50);
    let shared = aio_work_generator_shared(async |id, by: Arc<u64>| Some(id * *by), 3, 100);
    let works = start(shared);
    let sum = tokio::spawn(works.fold(0, async |sum, value| sum + value));
    assert_eq!(sum.await.unwrap(), 3 * 99 * 50);
}
