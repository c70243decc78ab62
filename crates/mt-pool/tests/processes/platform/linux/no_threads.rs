//! A system that has no thread to give: every start that needs one says so, and the next has what there is then.

use futures::stream;
use mt_pool::{
    Context, StartError, from_stream,
    works::{asyn_work_generator, progress_queue, run_asyn_works_in_context},
};
use mt_test_kit::{alone_and_bound, without_threads};

use crate::prelude::*;

/// Runs a test in a process of its own in which nothing of ours was started before.
fn fresh<F: FnOnce()>(test: F) {
    alone_and_bound(mt_test_kit::name_of::<F>(), test);
}

/// A context of this process, for which works there need a runtime.
struct Room;

impl Context for Room {
    type Config = ();
    type Error = String;

    fn default_config() -> Option<()> {
        Some(())
    }

    async fn open((): &()) -> Result<Self, String> {
        Ok(Self)
    }
}

#[task]
async fn in_room(#[context] _room: &Room, n: u64) -> u64 {
    n
}

#[task]
fn set_up(_: u64) {}

fn none<V>(started: Result<V, StartError>) -> Result<(), StartError> {
    started.map(drop)
}

/// All that starts a thread of ours in the caller's name.
/// A start of something.
type Start = fn() -> Result<(), StartError>;

const STARTS: [(&str, Start); 9] = [
    ("an iterator", || {
        none(asyn_pmap::<double>((0..3).inspect(|_| {})).start())
    }),
    ("in memory", || none(asyn_pmap::<double>(0..3).start())),
    ("a stream", || {
        none(asyn_pmap::<double>(from_stream(stream::iter(0..3))).start())
    }),
    ("a pool", || none(Pool::builder().start())),
    ("the pool of all", || none(Pool::global())),
    ("works by number", || {
        none(asyn_work_generator::<double>(3).start())
    }),
    ("works of an iterator", || {
        none(WorkIterator::<double>::new())
    }),
    ("works here", || {
        none(WorkIterator::<in_room>::builder().serial_mode(true).start())
    }),
    ("works in a context", || {
        let (sender, _progress) = progress_queue(100);
        let run = run_asyn_works_in_context::<in_room>(sender).work_id_list(0..3);
        none(futures::executor::block_on(run.run()))
    }),
];

/// Refuses all starts, which leave nothing, and then lets all of them be.
fn refuse_all(started: impl Fn(fn() -> Result<(), StartError>) -> Result<(), StartError>) {
    for (what, start) in STARTS {
        let refused = without_threads(|| started(start));
        let is_typed = matches!(refused, Err(StartError::Thread(_)));
        assert!(is_typed, "{what}: {refused:?}");
    }
    for (what, start) in STARTS {
        let begun = started(start);
        assert!(begun.is_ok(), "{what}: {begun:?}");
    }
    assert_eq!(values(asyn_pmap::<double>(0..3)), [0, 2, 4]);
}

/// Case 36: A start for which the system has no thread is `StartError::Thread`, and the next one works.
#[test_with(fresh)]
fn a_start_without_a_thread_is_typed_and_the_next_one_works() {
    refuse_all(|start| start());
}

/// Case 36: Inside a runtime a start for which there is no thread is no panic, but typed as elsewhere.
#[test_with(fresh)]
fn a_start_without_a_thread_inside_a_runtime() {
    refuse_all(|start| block_on(async { start() }));
}

/// Case 36: An init in this process for which there is no thread is typed, and the next one is called.
#[test_with(fresh)]
fn an_init_without_a_thread() {
    let init = || {
        let run = WorkIterator::<double>::builder().serial_mode(true);
        run.configure(|run| run.init::<set_up>(1)).start()
    };
    let refused = without_threads(|| none(init()));
    assert!(matches!(refused, Err(StartError::Thread(_))), "{refused:?}");
    assert!(init().is_ok());
}

/// Case 36: A run that finds no thread to start its workers from fails typed, and the next one starts them.
#[test_with(fresh)]
fn the_thread_that_starts_workers_is_tried_again() {
    let pool = Pool::builder().start().unwrap();
    let options = |run: AsynPmap<double>| run.pool(&pool).workers(restarts(0));
    let works = || {
        WorkIterator::<double>::builder()
            .num_works(2)
            .configure(options)
    };
    let ended = without_threads(|| {
        let works = works().start().unwrap();
        works.iter().map(|item| item.unwrap().1).collect::<Vec<_>>()
    });
    for outcome in ended {
        let error = outcome.unwrap_err();
        assert_is!(error.kind(), TaskErrorKind::Pool(_));
        let why = error.to_string();
        assert!(why.contains("thread that starts workers"), "{why}");
    }
    let works = works().start().unwrap();
    assert!(works.iter().all(|item| item.unwrap().1.is_ok()));
    assert_eq!(values(asyn_pmap::<double>(0..3)), [0, 2, 4]);
}
