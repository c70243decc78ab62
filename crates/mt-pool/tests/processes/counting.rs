//! `Counter`: what calls add arrives with their outcomes, once.

use mt_pool::{Context, Counter, works::ProcessParalleliser};
use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// What a call does after it has counted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum End {
    Return,
    Raise,
    Panic,
    NoResult,
    Abort,
}

fn end(how: End) -> Result<Even, String> {
    match how {
        End::Return => Ok(Even(0)),
        End::NoResult => Ok(Even(1)),
        End::Raise => Err("no".into()),
        End::Panic => panic!("no"),
        End::Abort => std::process::abort(),
    }
}

#[task]
fn count_and(#[shared] counter: &Counter, by: i64, how: End) -> Result<Even, String> {
    counter.increment_by(by);
    end(how)
}

#[task]
async fn count_and_async(#[shared] counter: &Counter, by: i64, how: End) -> Result<Even, String> {
    counter.increment_by(by - 1);
    tokio::task::yield_now().await;
    counter.increment();
    end(how)
}

#[task]
async fn count_around_a_wait(#[shared] counter: &Counter, n: u64) -> u64 {
    for _ in 0..n % 5 {
        counter.increment();
        tokio::time::sleep(Duration::from_micros(200)).await; // work: others count meanwhile
    }
    counter.increment_by(n as i64 - (n % 5) as i64);
    n
}

#[task]
fn count_on_threads(#[shared] counter: &Counter, n: u64) -> u64 {
    thread::scope(|scope| {
        for _ in 0..n {
            scope.spawn(|| counter.increment());
        }
    });
    n
}

#[task]
fn count_item(counter: Counter, n: i64) {
    counter.increment_by(n);
}

#[task]
fn two_counters(#[shared] counters: &(Counter, Counter), n: u64) -> Option<u64> {
    counters.0.increment();
    counters.1.increment_by(-(n as i64));
    n.is_multiple_of(2).then_some(n)
}

/// Fails so often before it does not.
#[task]
fn fails_first(#[shared] job: &(Counter, Folder, bool), n: u64) -> Result<u64, String> {
    let (counter, folder, dies) = job;
    counter.increment();
    let name = n.to_string();
    folder.note(&name, 1);
    match (folder.noted(&name).len() as u64 <= n % 3, dies) {
        (true, true) => std::process::abort(),
        (true, false) => Err("not yet".into()),
        (false, _) => Ok(n),
    }
}

#[task]
fn passes_on(#[shared] counter: &Counter, n: u64) -> u64 {
    let items: Vec<_> = (0..n).map(|_| (counter.clone(), 1)).collect();
    values(asyn_pmap::<count_item>(items).processes(1));
    n
}

struct Counting(Counter);

impl Context for Counting {
    type Config = Counter;
    type Error = String;

    async fn open(counter: &Counter) -> Result<Self, String> {
        counter.increment_by(100);
        Ok(Self(counter.clone()))
    }
}

#[task]
fn in_context(#[context] context: &Counting, _: u64) {
    context.0.increment();
}

/// Case M110: A counter has what a call has added when its outcome is there, whatever that is.
#[test_with(alone)]
fn whatever_the_outcome_is() {
    fn all<T: Task<Input = (i64, End), Shared = Counter>>() {
        let ends = [End::Return, End::Raise, End::Panic, End::NoResult];
        let items: Vec<_> = (0..400).map(|n| (n, ends[n as usize % 4])).collect();
        let counter = Counter::new();
        let run = asyn_pmap::<T>(items).shared(counter.clone());
        let run = run.processes(2).start().unwrap();
        let mut sum = 0;
        for (n, outcome) in run.into_iter().enumerate() {
            assert_eq!(outcome.is_ok(), n % 4 == 0);
            sum += n as i64;
            assert_eq!(counter.value(), sum, "with the outcome of {n}");
        }
    }
    all::<count_and>();
    all::<count_and_async>();
}

/// With every outcome its value is added to the counter.
fn sums_up<T: Task<Input = u64, Output = u64, Shared = Counter, Error: Debug>>(
    items: u64,
    option: impl Fn(AsynPmap<T>) -> AsynPmap<T>,
) {
    let counter = Counter::new();
    let run = asyn_pmap::<T>(0..items).shared(counter.clone());
    let mut sum = 0;
    for outcome in option(run.processes(2)).start().unwrap() {
        sum += outcome.unwrap() as i64;
        assert_eq!(counter.value(), sum);
    }
    assert_eq!(sum, (0..items as i64).sum::<i64>());
}

#[test_with(alone)]
fn calls_that_run_at_once_have_each_their_own() {
    sums_up::<count_around_a_wait>(1000, |run| run.ordered(false));
}

#[test_with(alone)]
fn on_threads_of_the_call() {
    sums_up::<count_on_threads>(30, |run| run);
}

/// Case M111: A call that is tried again counts once, and one that crashed not at all.
#[test_with(alone)]
fn deaths_and_errors_that_are_tried_again_count_once() {
    for dies in [true, false] {
        let folder = Folder::temp();
        let counter = Counter::new();
        let job = (counter.clone(), folder.clone(), dies);
        let run = asyn_pmap::<fails_first>(0..60).shared(job).retries(2);
        assert_eq!(values(run.processes(2)), (0..60).collect::<Vec<_>>());
        assert_eq!(counter.value(), 60);
    }
    let counter = Counter::new();
    let items = (0..10).map(|n| (1, if n == 5 { End::Abort } else { End::Return }));
    let run = asyn_pmap::<count_and>(items).shared(counter.clone());
    let run = run.processes(2).start().unwrap();
    assert_eq!(run.into_iter().filter(Result::is_err).count(), 1);
    let counted = counter.value();
    assert_eq!(counted, 9, "the one that crashed has counted nothing");
}

#[test_with(alone)]
fn what_nobody_has_seen_is_not_counted() {
    let counter = Counter::new();
    let items = (0..).map(|_| (1, End::Return));
    let run = asyn_pmap::<count_and>(items).shared(counter.clone());
    let mut run = run.processes(2).start().unwrap().into_iter();
    assert_eq!(run.by_ref().take(500).filter(Result::is_ok).count(), 500);
    drop(run);
    assert_eq!(counter.value(), 500);
}

/// Case M154: A counter counts wherever it has come to: in an item, a context, a run inside of a task.
#[test_with(alone)]
fn in_items_and_contexts_and_runs_inside_tasks() {
    let (a, b) = (Counter::new(), Counter::new());
    let items = vec![(a.clone(), 5), (b.clone(), 7), (a.clone(), 1)];
    values(asyn_pmap::<count_item>(items));
    assert_eq!((a.value(), b.value()), (6, 7));

    sums_up::<passes_on>(6, |run| run);

    let counter = Counter::new();
    let run = asyn_pmap::<in_context>(0..10).context(counter.clone());
    values(run.processes(1).batch_size(5));
    assert_eq!(counter.value(), 210);
}

#[test_with(alone)]
fn in_works_by_number() {
    let iterate = |serial| {
        let counters = (Counter::new(), Counter::new());
        let works = WorkIterator::<two_counters>::builder().shared(counters.clone());
        let works = works.num_works(100).serial_mode(serial).skip_null();
        let works = works.start().unwrap();
        assert_eq!(works.iter().filter(Result::is_ok).count(), 50);
        assert_eq!(counters.0.value(), 100, "skipped ones too");
        assert_eq!(counters.1.value(), -4950);
    };
    iterate(false);
    iterate(true);
    let counters = (Counter::new(), Counter::new());
    let pool = ProcessParalleliser::<two_counters>::builder();
    let pool = pool.shared(counters.clone()).start().unwrap();
    assert!(pool.push(7) && pool.push(30));
    for popped in 1..=2 {
        pool.pop().unwrap().1.unwrap();
        assert_eq!(counters.0.value(), popped);
    }
    assert_eq!(counters.1.value(), -37);
}
