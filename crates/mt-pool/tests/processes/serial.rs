//! `WorkIterator` without workers.

use std::cell::Cell;

use mt_pool::{Context, error::ContextStep, works::WorkIteratorBuilder};

use crate::prelude::*;

static INITS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Works done on this thread.
    static DONE_HERE: Cell<u64> = const { Cell::new(0) };
}

#[task]
fn here(n: u64) -> Option<(u64, u64)> {
    DONE_HERE.set(DONE_HERE.get() + 1);
    n.is_multiple_of(2).then_some((n, DONE_HERE.get()))
}

#[task]
async fn waits(#[shared] by: &u64, n: u64) -> u64 {
    let spawned = tokio::task::spawn_local(async move {
        tokio::time::sleep(Duration::from_millis(1)).await; // work: so that a timer has to turn
        n
    });
    spawned.await.unwrap() * by
}

#[task]
fn counts_inits(n: u64) -> (u64, u64) {
    (n, INITS.load(Ordering::Relaxed))
}

#[task]
async fn set_up(by: u64) -> Result<(), String> {
    tokio::time::sleep(Duration::from_millis(1)).await; // work: so that a timer has to turn
    if by == 0 {
        return Err("nothing to set up".into());
    }
    INITS.fetch_add(by, Ordering::Relaxed);
    Ok(())
}

/// A context that is opened in order, and fails to on request.
struct Opened {
    number: u64,
}

static OPENED: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU64 = AtomicU64::new(0);

impl Context for Opened {
    type Config = u64;
    type Error = String;

    async fn open(fail_at: &u64) -> Result<Self, String> {
        tokio::task::yield_now().await;
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        if number == *fail_at {
            return Err("not this one".into());
        }
        Ok(Self { number })
    }

    async fn close(self) -> Result<(), String> {
        CLOSED.fetch_add(1, Ordering::Relaxed);
        Err("never closes well".into())
    }
}

#[task]
fn in_context(#[context] opened: &Opened, n: u64) -> (u64, u64) {
    (n, opened.number)
}

fn serial<T: Task<Input = u64>>() -> WorkIteratorBuilder<T> {
    WorkIterator::<T>::builder().serial_mode(true)
}

/// Case M136: Serial mode does works on the calling thread, in order, none ahead, without a process.
#[test_with(alone)]
fn in_order_on_the_calling_thread_without_a_process() {
    let works = serial::<here>().skip_null().start().unwrap();
    assert_eq!(works.num_workers(), 0);
    let first = works.iter().take(3).map(Result::unwrap);
    let first: Vec<_> = first.map(|(id, value)| (id, value.unwrap())).collect();
    assert_eq!(first, [(0, (0, 1)), (2, (2, 3)), (4, (4, 5))]);
    assert_eq!(DONE_HERE.get(), 5, "and none ahead");
    assert_eq!(children(), [0_u32; 0]);
    let counts = works.counters();
    assert_eq!((counts.sent, counts.received, counts.retrieved), (5, 5, 3));
    works.close();
    assert!(works.next().is_none());
}

/// Case M152: As many works as `serial_threshold` says are done without a process.
#[test_with(alone)]
fn few_works_need_no_process() {
    let start = |works, threshold| {
        let builder = WorkIterator::<here>::builder().num_works(works);
        let builder = builder.serial_threshold(threshold).skip_null();
        builder.start().unwrap()
    };
    let few = start(10, 10);
    assert_eq!((few.num_workers(), few.iter().count()), (0, 5));
    let many = start(11, 10);
    assert!(many.num_workers() > 0);
    assert_eq!(many.iter().count(), 6);
    assert!(start(0, 0).next().is_none());
}

#[test_with(alone)]
fn a_panic_is_an_item() {
    let deeds = vec![Deed::Return(1), Deed::Panic("no".into()), Deed::Return(3)];
    let works = serial::<act_by_id>().shared(deeds).num_works(3);
    let works = works.start().unwrap();
    let outcomes: Vec<_> = works.iter().map(Result::unwrap).collect();
    assert!(matches!(outcomes[0], (0, Ok(1))) && matches!(outcomes[2], (2, Ok(3))));
    let error = outcomes[1].1.as_ref().unwrap_err();
    assert_eq!(error.index(), 1);
    assert_is!(error.kind(), TaskErrorKind::Panicked { message, .. } if message == "no");
    assert_eq!(works.stats().failed, 1);
}

#[test_with(alone)]
fn an_async_function_inside_and_outside_a_runtime() {
    let sum = || -> u64 {
        let works = serial::<waits>().shared(3).num_works(5).start().unwrap();
        works.iter().map(|item| item.unwrap().1.unwrap()).sum()
    };
    assert_eq!(sum(), 30);
    assert_eq!(block_on(async { sum() }), 30);
}

#[test_with(alone)]
fn threads_take_turns() {
    let works = serial::<here>().num_works(500).start().unwrap();
    let seen = Mutex::new(BTreeSet::new());
    let take = || {
        for item in &works {
            assert!(seen.lock().unwrap().insert(item.unwrap().0));
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(take))));
    assert_eq!(seen.into_inner().unwrap(), (0..500).collect());
}

#[test_with(alone)]
fn every_work_has_its_context() {
    let works = serial::<in_context>().configure(|run| run.context(1));
    let works = works.num_works(3).start().unwrap();
    let outcomes: Vec<_> = works.iter().map(|item| item.unwrap().1).collect();
    assert!(matches!(outcomes[0], Ok((0, 0))) && matches!(outcomes[2], Ok((2, 2))));
    let kind = outcomes[1].as_ref().unwrap_err().kind();
    assert_is!(kind, TaskErrorKind::Context { step: ContextStep::Open, message }
        if message == "not this one");
    assert_eq!(CLOSED.load(Ordering::Relaxed), 2);
    assert_eq!(works.stats().context_close_errors, 2);
}

/// Case 20: Without processes an init runs in this one, once for the same input.
#[test_with(alone)]
fn the_init_function_is_called_here() {
    let start = |by| {
        let works = serial::<counts_inits>();
        works.configure(|run| run.init::<set_up>(by)).start()
    };
    let works = start(5).unwrap();
    let first = works.iter().take(2).map(|item| item.unwrap().1);
    let first: Vec<_> = first.map(Result::unwrap).collect();
    assert_eq!(first, [(0, 5), (1, 5)]);
    for (by, expected) in [(5, 5), (2, 7), (5, 7)] {
        let works = start(by).unwrap();
        let told = works.iter().next().unwrap().unwrap().1.unwrap();
        assert_eq!(told, (0, expected), "the same is not called again");
    }
    let (option, problem) = refused(start(0));
    assert_eq!(option, "init");
    assert!(problem.contains("nothing to set up"), "{problem}");
}

#[test_with(alone)]
fn what_is_missing_is_said() {
    assert_eq!(refused(serial::<waits>().start()).0, "shared");
}
