//! Works by number in worker processes, when nothing goes wrong.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt::Debug,
    path::Path,
    time::Duration,
};

use futures::StreamExt;
use mt_pool::{
    Context, Pool, StartError, task,
    works::{Progress, asyn_work_generator, progress_queue},
};
use mt_test_kit::assert_is;
use tokio::sync::Notify;

mt_pool::test_worker!();

#[task]
async fn double(id: u64) -> u64 {
    tokio::task::yield_now().await;
    2 * id
}

#[task]
fn plain(#[shared] by: &u64, id: u64) -> Result<u64, String> {
    by.checked_mul(id)
        .ok_or_else(|| format!("{id} is too large"))
}

/// Counts the works that run in it.
struct Room {
    running: Cell<usize>,
    wanted: usize,
    full: Notify,
}

impl Context for Room {
    type Config = usize;
    type Error = Infallible;

    async fn open(wanted: &usize) -> Result<Self, Infallible> {
        Ok(Self {
            running: Cell::new(0),
            wanted: *wanted,
            full: Notify::new(),
        })
    }
}

/// Returns how many ran when it began, itself included.
#[task]
async fn counted(#[context] room: &Room, _id: u64) -> usize {
    room.running.set(room.running.get() + 1);
    let now = room.running.get();
    tokio::task::yield_now().await;
    room.running.set(room.running.get() - 1);
    now
}

/// Returns when so many works are in the room at once.
#[task]
async fn together(#[context] room: &Room, id: u64) -> u64 {
    let full = room.full.notified();
    room.running.set(room.running.get() + 1);
    if room.running.get() == room.wanted {
        room.full.notify_waiters();
    } else {
        full.await;
    }
    id
}

#[task]
async fn first_waits_for(#[shared] file: &String, id: u64) -> u64 {
    while id == 0 && !Path::new(file).exists() {
        tokio::time::sleep(Duration::from_millis(1)).await; // work: goes on until it is told to end
    }
    id
}

/// The values of works that must all have one.
fn values<V, E: Debug>(works: impl Iterator<Item = (u64, Result<V, E>)>) -> BTreeMap<u64, V> {
    let value = |(id, outcome): (_, Result<_, _>)| (id, outcome.expect("a value"));
    works.map(value).collect()
}

/// Case M114: Works in worker processes have one outcome each, with their numbers.
#[test]
fn every_work_has_its_value() {
    for (works, processes) in [(0, 2), (1, 8), (10_000, 1), (10_000, 2), (100_000, 3)] {
        let run = asyn_work_generator::<double>(works).processes(processes);
        let mut run = run.start().unwrap().into_iter();
        let expected: BTreeMap<u64, u64> = (0..works).map(|id| (id, 2 * id)).collect();
        assert_eq!(values(run.by_ref()), expected);
        assert!(run.stats().workers_started <= works.min(processes as u64));
        assert_eq!(run.stats().succeeded, works);
    }
}

#[test]
fn a_plain_function_and_a_list_of_works() {
    let list = [5, 3, u64::MAX, 7];
    let run = asyn_work_generator::<plain>(0).work_id_list(list).shared(2);
    let works = run.processes(2).start().unwrap().into_iter();
    let found = works.map(|(id, outcome)| (id, outcome.map_err(|error| error.to_string())));
    let error = format!("item {0}: {0} is too large", u64::MAX);
    let expected = [(3, Ok(6)), (5, Ok(10)), (7, Ok(14)), (u64::MAX, Err(error))];
    assert_eq!(found.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
}

#[test]
fn never_more_at_once_in_a_context_than_allowed() {
    for at_once in [1, 3, 100] {
        let run = asyn_work_generator::<counted>(2000).context(0);
        let run = run.max_concurrency(at_once).processes(2);
        let running = values(run.start().unwrap().into_iter()).into_values();
        assert!(running.max() <= Some(at_once), "{at_once}");
    }
}

#[test]
fn all_at_once_when_there_is_no_limit() {
    let works = 20_000;
    let run = asyn_work_generator::<together>(works as u64).context(works);
    let run = run.max_concurrency(None).processes(1).start().unwrap();
    assert_eq!(values(run.into_iter()).len(), works);
}

/// Case M115: A slow work holds up only itself.
#[test]
fn one_that_takes_its_time_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go").display().to_string();
    let run = asyn_work_generator::<first_waits_for>(5000).shared(file.clone());
    let run = run.max_concurrency(4).processes(2).start().unwrap();
    let mut run = run.into_iter();
    let others = values(run.by_ref().take(4999));
    assert!(!others.contains_key(&0));
    std::fs::write(&file, "").unwrap();
    assert_eq!(values(run).into_keys().collect::<Vec<_>>(), [0]);
}

/// Case M116: A progress queue is told every step of every work and every context.
#[test]
fn progress_tells_every_step() {
    let (progress, messages) = progress_queue(100_000);
    let run = asyn_work_generator::<counted>(3000).context(0);
    let run = run.progress_queue(progress);
    values(run.processes(2).start().unwrap().into_iter());
    assert_eq!(messages.missed(), 0);
    let mut steps: BTreeMap<u64, Vec<(u32, &str)>> = BTreeMap::new();
    let (mut created, mut destroyed) = (BTreeSet::new(), BTreeSet::new());
    for message in messages {
        match message {
            Progress::ContextCreated { context_id } => assert!(created.insert(context_id)),
            Progress::ContextDestroyed { context_id } => assert!(destroyed.insert(context_id)),
            Progress::TaskScheduled {
                context_id: id,
                work_id,
            } => {
                assert!(created.contains(&id) && !destroyed.contains(&id));
                steps.entry(work_id).or_default().push((id, "scheduled"));
            }
            Progress::TaskReturned {
                context_id: id,
                work_id,
                ..
            } => {
                steps.entry(work_id).or_default().push((id, "returned"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!created.is_empty() && created.len() <= 2, "one a worker");
    assert_eq!(created, destroyed);
    assert_eq!(steps.len(), 3000);
    for (id, steps) in steps {
        let [(scheduled_in, "scheduled"), (returned_from, "returned")] = steps[..] else {
            panic!("{id}: {steps:?}");
        };
        assert_eq!(scheduled_in, returned_from, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_a_task_of_its_own() {
    let (progress, messages) = progress_queue(100);
    let run = asyn_work_generator::<double>(20).progress_queue(progress);
    let works = run.processes(1).start().unwrap();
    let told = tokio::spawn(messages.count());
    assert_eq!(tokio::spawn(works.count()).await.unwrap(), 20);
    assert_eq!(told.await.unwrap(), 1 + 20 + 20 + 1);
}

#[test]
fn workers_of_a_pool_open_a_context_for_every_run() {
    let pool = Pool::builder().processes(1).start().unwrap();
    for run_number in 0..3 {
        let (progress, messages) = progress_queue(1000);
        let run = asyn_work_generator::<counted>(20).context(0);
        let run = run.progress_queue(progress);
        let run = run.configure(|run| run.pool(&pool));
        let mut run = run.start().unwrap().into_iter();
        assert_eq!(values(run.by_ref()).len(), 20);
        assert_eq!(run.stats().workers_reused, u64::from(run_number > 0));
        drop(run);
        let messages = messages.into_iter();
        let about_contexts = messages.filter(|message| message.work_id().is_none());
        let context_id = 0;
        let created = Progress::ContextCreated { context_id };
        let destroyed = Progress::ContextDestroyed { context_id };
        assert!(about_contexts.eq([created, destroyed]));
    }
}

/// Case M28: A shared value or a config that a task needs and was not given is an error of the start.
#[test]
fn what_can_not_be_is_refused_before_any_process() {
    let run = || asyn_work_generator::<double>(5);
    let brief = Duration::from_micros(999);
    let refused = [
        (run().max_concurrency(0).start().err(), "max_concurrency"),
        (run().num_processes(0).start().err(), "processes"),
        (run().timeout(brief).start().err(), "timeout"),
        (asyn_work_generator::<plain>(5).start().err(), "shared"),
        (asyn_work_generator::<counted>(5).start().err(), "context"),
    ];
    for (error, name) in refused {
        assert_is!(error, Some(StartError::Option { option, .. }) if *option == name);
    }
}
