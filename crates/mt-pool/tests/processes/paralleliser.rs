//! `ProcessParalleliser`: ids in, outcomes out, by any thread.

use std::ops::Range;

use mt_pool::works::{
    ParalleliserState::{Dead, Dying, Living},
    PopError, ProcessParalleliser,
};

use crate::prelude::*;

#[task]
fn small(n: u64) -> Result<u64, String> {
    if n < 1000 {
        Ok(n)
    } else {
        Err("too large".into())
    }
}

const NONE: Duration = Duration::ZERO;

/// Case M137: Ids may be pushed in any order, and more than once.
#[test_with(alone)]
fn any_ids_in_any_order_and_more_than_once() {
    let pool = ProcessParalleliser::<small>::builder().processes(2);
    let pool = pool.start().unwrap();
    assert_eq!(pool.num_workers(), 2);
    let ids = [7, 0, 999, 7, 1000, u64::MAX, 3, 1 << 40];
    for id in ids {
        assert!(pool.push(id));
    }
    let mut popped = BTreeMap::new();
    for _ in ids {
        let (id, outcome) = pool.pop().unwrap();
        *popped.entry(id).or_insert(0) += 1;
        match outcome {
            Ok(value) => assert_eq!(value, id),
            Err(error) => {
                assert!(id >= 1000);
                assert_eq!(error.index(), id, "an error knows its work");
            }
        }
    }
    let mut expected = BTreeMap::from(ids.map(|id| (id, 1)));
    expected.insert(7, 2);
    assert_eq!(popped, expected);
    let counts = pool.counters();
    assert_eq!((counts.sent, counts.received, counts.retrieved), (8, 8, 8));
    let stats = pool.stats();
    assert_eq!((stats.succeeded, stats.failed), (5, 3));
}

/// Case M138: After `close` all that was pushed is done and can be popped.
#[test_with(alone)]
fn closing_lets_the_pushed_be_done() {
    let pool = ProcessParalleliser::<double>::new().unwrap();
    assert_eq!(pool.state(), Living);
    assert!(pool.empty());
    assert_eq!(pool.pop_timeout(NONE).unwrap_err(), PopError::Empty);
    for id in 0..5000 {
        assert!(pool.push(id));
    }
    pool.close();
    pool.close();
    assert_ne!(pool.state(), Living);
    assert!(!pool.push(1));
    wait_until(|| pool.state() == Dead);
    assert_eq!(children(), [0_u32; 0]);
    assert!(!pool.empty(), "outcomes can still be popped");
    let mut sum = 0;
    for _ in 0..5000 {
        let (id, value) = pool.pop().unwrap();
        assert_eq!(value.unwrap(), 2 * id);
        sum += id;
    }
    assert_eq!(sum, 4999 * 2500);
    assert_eq!(pool.pop().unwrap_err(), PopError::Closed);
    assert!(pool.empty());
    assert_eq!(pool.pop_timeout(NONE).unwrap_err(), PopError::Closed);
}

/// Case M139: Without room `push` is false, and each `pop` makes room.
#[test_with(alone)]
fn no_room_is_told_and_each_pop_makes_some() {
    let pool = ProcessParalleliser::<double>::builder().capacity(4);
    let pool = pool.start().unwrap();
    for id in 0..4 {
        assert!(pool.push_timeout(id, NONE));
    }
    assert!(!pool.push_timeout(4, Duration::from_millis(5)));
    for id in 4..500 {
        pool.pop().unwrap().1.unwrap();
        assert!(pool.push_timeout(id, NONE), "{id}");
        assert!(!pool.push_timeout(id, NONE), "{id}");
    }
    assert_eq!(pool.counters().sent, 500);
}

#[test_with(in_folder)]
fn closing_wakes_those_who_wait(folder: Folder) {
    let pool = ProcessParalleliser::<waits_to_go>::builder().shared(folder.clone());
    let pool = pool.capacity(2).start().unwrap();
    assert!(pool.push(0) && pool.push(1));
    thread::scope(|scope| {
        let pool = &pool;
        let push = |id| scope.spawn(move || pool.push(id));
        let waiting: Vec<_> = (2..5).map(push).collect();
        let poppers: Vec<_> = (0..4).map(|_| scope.spawn(move || pool.pop())).collect();
        wait_until(|| pool.stats().workers_started > 0);
        pool.close();
        assert_eq!(pool.state(), Dying);
        for push in waiting {
            assert!(!push.join().unwrap());
        }
        assert!(folder.first("go"));
        let popped = poppers.into_iter().map(|pop| pop.join().unwrap());
        let mut ids: Vec<_> = popped.filter_map(Result::ok).map(|(id, _)| id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [0, 1], "the other two are told that it is closed");
    });
}

#[test_with(alone)]
fn threads_push_and_threads_pop() {
    let pool = ProcessParalleliser::<double>::builder().processes(2);
    let pool = pool.capacity(50).start().unwrap();
    let seen = Mutex::new(vec![0_u32; 4000]);
    thread::scope(|scope| {
        let all = |mut ids: Range<u64>| assert!(ids.all(|id| pool.push(id)));
        let push = |n: u64| scope.spawn(move || all(n * 1000..(n + 1) * 1000));
        let pushers: Vec<_> = (0..4).map(push).collect();
        for _ in 0..3 {
            scope.spawn(|| {
                while let Ok((id, value)) = pool.pop() {
                    assert_eq!(value.unwrap(), 2 * id);
                    seen.lock().unwrap()[id as usize] += 1;
                }
            });
        }
        pushers.into_iter().for_each(|push| push.join().unwrap());
        pool.close();
    });
    assert!(seen.into_inner().unwrap().iter().all(|&times| times == 1));
}

/// Case M155: A work that dies or panics costs a `ProcessParalleliser` that work alone.
#[test_with(alone)]
fn deaths_cost_their_works_alone() {
    let deeds = vec![
        Deed::Return(0),
        Deed::Abort,
        Deed::Exit(7),
        Deed::Return(3),
        Deed::Panic("no".into()),
    ];
    let pool = ProcessParalleliser::<act_by_id>::builder().shared(deeds);
    let pool = pool.processes(2).start().unwrap();
    assert!((0..5).rev().all(|id| pool.push(id)));
    for _ in 0..5 {
        let (id, outcome) = pool.pop().unwrap();
        match (id, outcome) {
            (0 | 3, Ok(value)) => assert_eq!(value, id),
            (1 | 2, Err(error)) => {
                assert_is!(error.kind(), TaskErrorKind::Crashed { attempts: 3, .. });
                assert_eq!(error.item::<u64>().unwrap().unwrap(), id);
            }
            (4, Err(error)) => assert_is!(error.kind(), TaskErrorKind::Panicked { .. }),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pool.state(), Living);
}

#[test_with(alone)]
fn without_workers_it_dies() {
    let workers = WorkerOptions::new().program("/bin/false");
    let pool = ProcessParalleliser::<double>::builder();
    let pool = pool.configure(|run| run.workers(workers)).start().unwrap();
    assert!(pool.push(77));
    let (id, outcome) = pool.pop().unwrap();
    assert_eq!(id, 77);
    assert_is!(outcome.unwrap_err().kind(), TaskErrorKind::Pool(_));
    wait_until(|| pool.state() == Dead);
    assert!(!pool.push(78));
    assert_eq!(pool.pop().unwrap_err(), PopError::Closed);
}

#[test_with(alone)]
fn wrong_options_are_named() {
    let new = ProcessParalleliser::<double>::builder;
    for (builder, name) in [
        (new().max_num_workers(0), "processes"),
        (new().memory_mark(1.5), "memory_mark"),
        (new().capacity(0), "capacity"),
        (new().configure(|run| run.crash_limit(0)), "crash_limit"),
    ] {
        assert_eq!(refused(builder.start()).0, name);
    }
    let short = new().processes(8).memory_mark(0.0).start().unwrap();
    assert_eq!(short.num_workers(), 1);
}
