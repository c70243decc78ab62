//! `Counter`: what calls add arrives with their outcomes, once.

use std::{path::Path, thread, time::Duration};

use mt_pool::{
    Context, Counter, NullPolicy, ProcessParalleliser, Task, WorkIterator, asyn_pmap, task,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    deed::{note, noted},
    scene::check,
};

/// What a call does after it has counted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum End {
    Return,
    Raise,
    Panic,
    NoResult,
    Abort,
}

/// Does not serialise when it is asked not to.
#[derive(Debug, Deserialize)]
struct Picky(bool);

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 {
            return self.0.serialize(serializer);
        }
        Err(serde::ser::Error::custom("no"))
    }
}

fn end(how: End) -> Result<Picky, String> {
    match how {
        End::Return => Ok(Picky(true)),
        End::NoResult => Ok(Picky(false)),
        End::Raise => Err("no".into()),
        End::Panic => panic!("no"),
        End::Abort => std::process::abort(),
    }
}

#[task]
fn count_and(#[shared] counter: &Counter, by: i64, how: End) -> Result<Picky, String> {
    counter.increment_by(by);
    end(how)
}

#[task]
async fn count_and_async(#[shared] counter: &Counter, by: i64, how: End) -> Result<Picky, String> {
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
fn fails_first(#[shared] job: &(Counter, String, bool), n: u64) -> Result<u64, String> {
    let (counter, folder, dies) = job;
    counter.increment();
    let log = Path::new(folder).join(n.to_string());
    note(&log, 1);
    match (noted(&log).len() as u64 <= n % 3, dies) {
        (true, true) => std::process::abort(),
        (true, false) => Err("not yet".into()),
        (false, _) => Ok(n),
    }
}

#[task]
fn passes_on(#[shared] counter: &Counter, n: u64) -> u64 {
    let items: Vec<_> = (0..n).map(|_| (counter.clone(), 1)).collect();
    let run = asyn_pmap::<count_item>(items).pool_processes(1);
    run.start().unwrap().into_iter().for_each(Result::unwrap);
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

#[test]
fn whatever_the_outcome_is() {
    fn all<T>()
    where
        T: Task<Input = (i64, End), Shared = Counter, Output = Picky>,
    {
        let ends = [End::Return, End::Raise, End::Panic, End::NoResult];
        let items: Vec<_> = (0..400).map(|n| (n, ends[n as usize % 4])).collect();
        let counter = Counter::new();
        let run = asyn_pmap::<T>(items).shared(counter.clone());
        let run = run.pool_processes(2).start().unwrap();
        let mut sum = 0;
        for (n, outcome) in run.into_iter().enumerate() {
            assert_eq!(outcome.is_ok(), n % 4 == 0);
            sum += n as i64;
            assert_eq!(counter.value(), sum, "with the outcome of {n}");
        }
    }
    check(|| {
        all::<count_and>();
        all::<count_and_async>();
    });
}

#[test]
fn calls_that_run_at_once_have_each_their_own() {
    check(|| {
        let counter = Counter::new();
        let run = asyn_pmap::<count_around_a_wait>(0..1000).shared(counter.clone());
        let run = run.pool_ordered(false).pool_processes(2).start().unwrap();
        let mut sum = 0;
        for outcome in run {
            sum += outcome.unwrap() as i64;
            assert_eq!(counter.value(), sum);
        }
        assert_eq!(sum, 999 * 500);
    });
}

#[test]
fn on_threads_of_the_call() {
    check(|| {
        let counter = Counter::new();
        let run = asyn_pmap::<count_on_threads>(0..30).shared(counter.clone());
        let run = run.pool_processes(2).start().unwrap();
        let mut sum = 0;
        for outcome in run {
            sum += outcome.unwrap() as i64;
            assert_eq!(counter.value(), sum);
        }
    });
}

#[test]
fn deaths_and_errors_that_are_tried_again_count_once() {
    check(|| {
        for dies in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let counter = Counter::new();
            let job = (counter.clone(), folder.path().display().to_string(), dies);
            let run = asyn_pmap::<fails_first>(0..60).shared(job).retries(2);
            let run = run.pool_processes(2).start().unwrap();
            let values: Vec<u64> = run.into_iter().map(Result::unwrap).collect();
            assert_eq!(values, (0..60).collect::<Vec<_>>());
            assert_eq!(counter.value(), 60);
        }
        let counter = Counter::new();
        let items = (0..10).map(|n| (1, if n == 5 { End::Abort } else { End::Return }));
        let run = asyn_pmap::<count_and>(items).shared(counter.clone());
        let run = run.pool_processes(2).start().unwrap();
        assert_eq!(run.into_iter().filter(Result::is_err).count(), 1);
        assert_eq!(
            counter.value(),
            9,
            "the one that crashed has counted nothing"
        );
    });
}

#[test]
fn what_nobody_has_seen_is_not_counted() {
    check(|| {
        let counter = Counter::new();
        let items = (0..).map(|_| (1, End::Return));
        let run = asyn_pmap::<count_and>(items).shared(counter.clone());
        let mut run = run.pool_processes(2).start().unwrap().into_iter();
        assert_eq!(run.by_ref().take(500).filter(Result::is_ok).count(), 500);
        drop(run);
        assert_eq!(counter.value(), 500);
    });
}

#[test]
fn in_items_and_contexts_and_runs_inside_tasks() {
    check(|| {
        let (a, b) = (Counter::new(), Counter::new());
        let items = vec![(a.clone(), 5), (b.clone(), 7), (a.clone(), 1)];
        let run = asyn_pmap::<count_item>(items).start().unwrap();
        run.into_iter().for_each(Result::unwrap);
        assert_eq!((a.value(), b.value()), (6, 7));

        let counter = Counter::new();
        let run = asyn_pmap::<passes_on>(0..6).shared(counter.clone());
        let run = run.pool_processes(2).start().unwrap();
        let mut sum = 0;
        for outcome in run {
            sum += outcome.unwrap() as i64;
            assert_eq!(counter.value(), sum);
        }

        let counter = Counter::new();
        let run = asyn_pmap::<in_context>(0..10).context(counter.clone());
        let run = run.pool_processes(1).batch_size(5).start().unwrap();
        run.into_iter().for_each(Result::unwrap);
        assert_eq!(counter.value(), 210);
    });
}

#[test]
fn in_works_by_number() {
    fn iterate<T>(serial: bool)
    where
        T: Task<Input = u64, Shared = (Counter, Counter)>,
        T::Null: NullPolicy<T::Output>,
    {
        let counters = (Counter::new(), Counter::new());
        let works = WorkIterator::<T>::builder().shared(counters.clone());
        let works = works.num_works(100).serial_mode(serial).start().unwrap();
        assert_eq!(works.iter().filter(Result::is_ok).count(), 50);
        assert_eq!(counters.0.value(), 100, "skipped ones too");
        assert_eq!(counters.1.value(), -4950);
    }
    check(|| {
        iterate::<two_counters>(false);
        iterate::<two_counters>(true);
        let counters = (Counter::new(), Counter::new());
        let pool = ProcessParalleliser::<two_counters>::builder();
        let pool = pool.shared(counters.clone()).start().unwrap();
        for id in [7, 30] {
            assert!(pool.push(id));
        }
        for popped in 1..=2 {
            pool.pop().unwrap().1.unwrap();
            assert_eq!(counters.0.value(), popped);
        }
        assert_eq!(counters.1.value(), -37);
    });
}
