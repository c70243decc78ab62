//! Every step of the works of a context, and every way a context can fail.

use std::{cell::Cell, collections::BTreeMap};

use futures::{StreamExt, channel::oneshot, executor::block_on};
use mt_test_kit::assert_is;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    TaskErrorKind,
    works::progress::{Progress, progress_queue},
};

type Told<V, E> = Vec<Progress<V, TaskError<E>>>;

/// Runs works with a queue of this capacity; returns what was told.
fn told<T: Task<Input = u64>>(
    capacity: usize,
    describe: impl FnOnce(AsynWorksInContext<T>) -> AsynWorksInContext<T>,
) -> (WorkCounts, Told<T::Output, T::Error>) {
    let (progress, messages) = progress_queue(capacity);
    let works = describe(run_asyn_works_in_context::<T>(progress));
    let (counts, told) = block_on(async { futures::join!(works.run(), messages.collect()) });
    (counts.unwrap(), told)
}

/// A context whose works wait for permits of the test, if it has none of its own to give.
#[derive(Default)]
struct Place {
    /// How it opens and closes.
    way: u8,
    running: Cell<usize>,
    most: Cell<usize>,
    permits: Option<Semaphore>,
    closed: Option<Rc<Cell<bool>>>,
}

const OPEN_FAILS: u8 = 1;
const OPEN_PANICS: u8 = 2;
const CLOSE_FAILS: u8 = 3;
const CLOSE_PANICS: u8 = 4;

impl Context for Place {
    type Config = u8;
    type Error = String;

    async fn open(&way: &u8) -> Result<Self, String> {
        match way {
            OPEN_FAILS => Err("no way in".into()),
            OPEN_PANICS => panic!("no way in"),
            way => Ok(Self {
                way,
                ..Self::default()
            }),
        }
    }

    async fn close(self) -> Result<(), String> {
        if let Some(closed) = self.closed {
            closed.set(true);
        }
        match self.way {
            CLOSE_FAILS => Err("no way out".into()),
            CLOSE_PANICS => panic!("no way out"),
            _ => Ok(()),
        }
    }
}

#[mt_pool::task]
async fn visit(#[context] place: &Place, id: u64) -> Result<u64, String> {
    place.running.set(place.running.get() + 1);
    place.most.set(place.most.get().max(place.running.get()));
    match &place.permits {
        Some(permits) => permits.acquire().await.unwrap().forget(),
        None => tokio::task::yield_now().await,
    }
    place.running.set(place.running.get() - 1);
    match id {
        13 => Err("unlucky".into()),
        17 => panic!("odd"),
        id => Ok(2 * id),
    }
}

#[mt_pool::task]
fn scaled(#[shared] by: &u64, id: u64) -> u64 {
    by * id
}

/// The messages of each work, by name.
fn steps<V, E>(told: &[Progress<V, TaskError<E>>]) -> BTreeMap<u64, Vec<&'static str>> {
    let mut steps = BTreeMap::<u64, Vec<_>>::new();
    for message in told {
        let name = match message {
            Progress::TaskScheduled { .. } => "scheduled",
            Progress::TaskReturned { .. } => "returned",
            Progress::TaskRaised { .. } => "raised",
            Progress::TaskCancelled { .. } => "cancelled",
            _ => continue,
        };
        let work = message.work_id().unwrap();
        steps.entry(work).or_default().push(name);
    }
    steps
}

fn values<X>(told: &[Progress<u64, X>]) -> Vec<u64> {
    let value = |message: &_| match message {
        Progress::TaskReturned { value, .. } => Some(*value),
        _ => None,
    };
    told.iter().filter_map(value).collect()
}

/// The works returned, raised and cancelled.
fn in_all(counts: WorkCounts) -> (u64, u64, u64) {
    (counts.returned, counts.raised, counts.cancelled)
}

/// Case M119: Works in this process, in one context, tell every step.
#[test]
fn every_step_of_every_work_is_told() {
    for capacity in [1, 3, 1000] {
        let (counts, told) = told::<visit>(capacity, |works| {
            let works = works.context(0).context_id(7).work_id_list(0..100);
            works.max_concurrency(5)
        });
        assert_eq!(in_all(counts), (98, 2, 0));
        assert_is!(told.first(), Some(Progress::ContextCreated { .. }));
        assert_is!(told.last(), Some(Progress::ContextDestroyed { .. }));
        assert!(told.iter().all(|message| message.context_id() == Some(7)));
        let steps = steps(&told);
        assert_eq!(steps.len(), 100);
        for (id, steps) in steps {
            let raises = [13, 17].contains(&id);
            let end = if raises { "raised" } else { "returned" };
            assert_eq!(steps, ["scheduled", end], "{id}");
        }
    }
}

#[test]
fn values_errors_and_panics_are_told_as_they_are() {
    let (_, told) = told::<visit>(10, |works| works.context(0).work_id_list([5, 13, 17]));
    assert_eq!(values(&told), [10]);
    let errors = told.iter().filter_map(|message| match message {
        Progress::TaskRaised { error, .. } => Some(error.to_string()),
        _ => None,
    });
    let errors: Vec<_> = errors.collect();
    assert_eq!(errors, ["item 13: unlucky", "item 17: panicked: odd"]);
}

#[test]
fn never_more_at_once_than_allowed() {
    for (at_once, most) in [(Some(1), 1), (Some(5), 5), (None, 200)] {
        let place = Rc::new(Place::default());
        let (counts, _) = told::<visit>(1, |works| {
            let works = works.context_vars(Rc::clone(&place)).work_id_list(100..300);
            works.max_concurrency(at_once)
        });
        assert_eq!(counts.returned, 200);
        assert!(place.most.get() <= most, "{} of {most}", place.most.get());
    }
}

#[test]
fn a_context_that_is_given_is_not_closed_and_not_told_of() {
    let closed = Rc::new(Cell::new(false));
    let place = Rc::new(Place {
        closed: Some(Rc::clone(&closed)),
        ..Place::default()
    });
    let given = Rc::clone(&place);
    let (_, told) = told::<visit>(10, |works| works.context_vars(given).work_id_list([1]));
    assert_eq!(told.len(), 2);
    assert!(!closed.get());
    assert_eq!(Rc::strong_count(&place), 1, "given back");
}

#[test]
fn a_context_that_does_not_open_loses_no_work() {
    for way in [OPEN_FAILS, OPEN_PANICS] {
        let (counts, told) = told::<visit>(2, |works| works.context(way).work_id_list(0..10));
        assert_eq!(counts.raised, 10);
        assert_is!(told[0], Progress::ContextRaised { error, .. } if error.contains("no way in"));
        assert_eq!(told.len(), 11);
        let has_no_context = |message: &Progress<_, TaskError<String>>| {
            matches!(message, Progress::TaskRaised { context_id: None, error, .. }
                if matches!(error.kind(), TaskErrorKind::Context { .. }))
        };
        assert!(told[1..].iter().all(has_no_context), "{told:?}");
    }
}

#[test]
fn a_context_that_does_not_close_is_told_of() {
    for way in [CLOSE_FAILS, CLOSE_PANICS] {
        let (counts, told) = told::<visit>(2, |works| works.context(way).work_id_list([1, 2]));
        assert_eq!(counts.returned, 2);
        let (last, before) = told.split_last().unwrap();
        assert_is!(last, Progress::ContextDestroyed { .. });
        assert_is!(before.last(), Some(Progress::ContextRaised { error, .. }) if error.contains("no way out"));
    }
}

#[test]
fn cancelling_ends_what_runs_in_peace_and_starts_nothing_more() {
    let place = Rc::new(Place {
        permits: Some(Semaphore::new(0)),
        ..Place::default()
    });
    let (progress, mut messages) = progress_queue(100);
    let (cancel, cancelled) = oneshot::channel::<()>();
    let works = run_asyn_works_in_context::<visit>(progress)
        .context_vars(Rc::clone(&place))
        .work_id_list(100..200)
        .max_concurrency(3)
        .cancel_on(async { cancelled.await.unwrap() });
    let watch = async {
        for id in 100..103 {
            let message = messages.next().await.unwrap();
            assert_eq!(message.work_id(), Some(id));
        }
        cancel.send(()).unwrap();
        let mut told = Told::<u64, String>::new();
        while let Some(message) = messages.next().await {
            told.push(message);
            if told.len() == 97 {
                place.permits.as_ref().unwrap().add_permits(3);
            }
        }
        steps(&told)
    };
    let (counts, steps) = block_on(async { futures::join!(works.run(), watch) });
    assert_eq!(in_all(counts.unwrap()), (3, 0, 97));
    for (id, steps) in steps {
        let end = if id < 103 { "returned" } else { "cancelled" };
        assert_eq!(steps, [end], "{id}");
    }
}

/// Case M120: With nobody watching, works that were not started are cancelled.
#[test]
fn nobody_watching_cancels_the_rest() {
    let (progress, messages) = progress_queue(1);
    let place = Rc::new(Place::default());
    drop(messages);
    let works = run_asyn_works_in_context::<visit>(progress)
        .context_vars(Rc::clone(&place))
        .work_id_list(0..1_000_000);
    let (returned, raised, cancelled) = in_all(block_on(works.run()).unwrap());
    assert_eq!(returned + raised + cancelled, 1_000_000);
    assert!(cancelled > 999_000, "{cancelled}");
}

#[test]
fn a_plain_function_runs_one_at_a_time() {
    let (counts, told) = told::<scaled>(10, |works| works.shared(3).work_id_list(0..5));
    assert_eq!(counts.returned, 5);
    assert_eq!(values(&told), [0, 3, 6, 9, 12]);
}

#[test]
fn what_is_missing_is_named_and_nothing_is_told() {
    let (progress, messages) = progress_queue(1);
    let scaled = run_asyn_works_in_context::<scaled>(progress).work_id_list([1]);
    let visit = || run_asyn_works_in_context::<visit>(progress_queue(1).0);
    let without_places = visit().context(0).max_concurrency(0);
    for (refused, option) in [
        (block_on(scaled.run()), "shared"),
        (block_on(visit().run()), "context"),
        (block_on(without_places.run()), "max_concurrency"),
    ] {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains(option), "{error}");
    }
    assert_eq!(messages.into_iter().count(), 0);
}

#[test]
fn no_works_are_no_works() {
    let (counts, told) = told::<visit>(1, |works| works.context(0));
    assert_eq!((counts, told.len()), (WorkCounts::default(), 2));
}
