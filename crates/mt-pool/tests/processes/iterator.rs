//! `WorkIterator` over works that misbehave, shared by threads, closed and left alone.

use mt_pool::works::PopError;

use mt_test_kit::ends;

use crate::prelude::*;

#[task]
fn some_even(n: u64) -> Option<u64> {
    n.is_multiple_of(2).then_some(n)
}

#[task]
fn third_or_error(n: u64) -> Result<Option<u64>, String> {
    match n % 3 {
        0 => Ok(Some(n)),
        1 => Ok(None),
        _ => Err(format!("{n} is bad")),
    }
}

/// How many were noted as returned when the work began.
#[task]
fn sees(#[shared] folder: &Folder, n: u64) -> (u64, u64) {
    (n, folder.noted("returned").len() as u64)
}

#[task]
fn even_crosses(n: u64) -> Even {
    Even(n)
}

/// Case M132: Neither an error nor a death ends a `WorkIterator`.
#[test_with(alone)]
fn neither_death_nor_error_ends_it() {
    // And what each death but the panic comes to: its exit code or signal.
    let ways = [
        (Deed::Return(0), (None, None)),
        (Deed::Abort, ends::ABORT),
        (Deed::Panic("no".into()), (None, None)),
        (Deed::Exit(3), (Some(3), None)),
        (Deed::Segfault, ends::SEGFAULT),
        (Deed::Exit(0), (Some(0), None)),
        (Deed::Return(6), (None, None)),
        (Deed::Signal(9), ends::KILL),
    ];
    let (deeds, ends): (Vec<_>, Vec<_>) = ways.into_iter().unzip();
    let kinds = deeds.len() as u64;
    let works = WorkIterator::<act_by_id>::builder()
        .shared(deeds)
        .processes(2)
        .configure(|run| run.crash_limit(2))
        .start()
        .unwrap();
    let mut seen = BTreeSet::new();
    for item in works.iter().take(5 * kinds as usize) {
        let (id, outcome) = item.unwrap();
        let deed = id % kinds;
        match outcome {
            Ok(value) => assert_eq!(value, deed),
            Err(error) => {
                assert_eq!(error.index(), id);
                match error.into_kind() {
                    TaskErrorKind::Panicked { message, .. } => {
                        assert_eq!((deed, &*message), (2, "no"));
                    }
                    TaskErrorKind::Crashed { death, attempts: 2 } => {
                        assert_eq!(death.cause, DeathCause::Itself);
                        let how = (death.exit.code, death.exit.signal);
                        assert_eq!(how, ends[deed as usize]);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(seen.insert(id), "{id} came twice");
    }
    assert!(works.stats().workers_died >= 5);
}

#[test_with(alone)]
fn what_does_not_serialise_takes_no_place() {
    let works = WorkIterator::<even_crosses>::builder().buffer_size(4);
    let works = works.processes(2).start().unwrap();
    let mut counts = [0, 0];
    for item in works.iter().take(300) {
        let (id, outcome) = item.unwrap();
        match outcome {
            Ok(value) => assert_eq!((value.0, id % 2), (id, 0)),
            Err(error) => {
                assert_is!(error.kind(), TaskErrorKind::Unserialisable(_));
                assert_eq!((error.index(), id % 2), (id, 1));
            }
        }
        counts[id as usize % 2] += 1;
        let counts = works.counters();
        assert_eq!(counts.sent - counts.received, 3, "and the one returned");
    }
    assert!(counts[0] >= 148 && counts[1] >= 148, "{counts:?}");
}

/// Case M130: A `WorkIterator` is never more works ahead than its buffer.
#[test_with(alone)]
fn the_buffer_is_never_exceeded() {
    for (buffer, threads) in [(1, 1), (2, 1), (5, 1), (64, 1), (1, 3), (7, 3)] {
        let folder = Folder::temp();
        let works = WorkIterator::<sees>::builder().shared(folder.clone());
        let works = works.buffer_size(buffer).processes(2).start().unwrap();
        let take = || {
            for item in works.iter().take(200) {
                let (id, seen) = item.unwrap();
                let (n, returned) = seen.unwrap();
                assert_eq!(id, n);
                // Works up to this one were handed out. Other threads may have theirs and not have
                // noted it yet.
                let allowed = returned + buffer as u64 + threads - 1;
                assert!(id < allowed, "{id} {returned} {buffer}");
                folder.note("returned", 1);
            }
        };
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(take))));
    }
}

/// All of the works come out once, with their values, whoever of so many threads takes them.
fn each_once(
    works: &WorkIterator<double>,
    threads: usize,
    count: usize,
    seen: impl Fn(u64) + Sync,
) {
    let all = Mutex::new(BTreeSet::new());
    let take = || {
        for item in works {
            let (id, value) = item.unwrap();
            assert_eq!(value.unwrap(), 2 * id);
            assert!(all.lock().unwrap().insert(id), "{id} came twice");
            seen(id);
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(take))));
    assert_eq!(all.into_inner().unwrap().len(), count);
    assert!(works.next().is_none(), "the end stays the end");
}

/// Case M131: Threads that share a `WorkIterator` get each work once.
#[test_with(alone)]
fn threads_that_share_it_get_each_work_once() {
    for (threads, buffer) in [(2, None), (4, Some(1)), (4, Some(3)), (8, None)] {
        let mut builder = WorkIterator::<double>::builder().processes(2);
        if let Some(buffer) = buffer {
            builder = builder.buffer_size(buffer);
        }
        let works = builder.num_works(3000).start().unwrap();
        each_once(&works, threads, 3000, |_| {});
    }
}

#[test_with(alone)]
fn a_thread_that_takes_one_leaves_the_others_theirs() {
    // With one place, each result makes room for the next work of another thread.
    let works = WorkIterator::<double>::builder().buffer_size(1);
    let works = works.start().unwrap();
    let sum = AtomicU64::new(0);
    let take_one = || {
        let (id, _) = works.next().unwrap().unwrap();
        sum.fetch_add(id, Ordering::Relaxed);
    };
    thread::scope(|scope| (0..20).for_each(|_| drop(scope.spawn(take_one))));
    assert_eq!(sum.into_inner(), 19 * 10);
}

/// Case M133: Closing a `WorkIterator` ends its workers and wakes who waits.
#[test_with(alone)]
fn closing_wakes_who_waits_in_other_threads() {
    let works = WorkIterator::<waits_to_go>::builder().shared(Folder::at("/not/there"));
    let works = works.processes(2).start().unwrap();
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| works.next())).collect();
        // Once a worker is at it, they wait, or are about to.
        wait_until(|| works.stats().workers_started > 0);
        works.close();
        assert_eq!(children(), [0_u32; 0], "gone when it returns");
        for thread in waiting {
            assert!(thread.join().unwrap().is_none());
        }
    });
    works.close();
    assert!(works.next().is_none());
}

/// Case M134: Nothing in time is `PopError::Empty`, and no end.
#[test_with(in_folder)]
fn nothing_in_time_is_no_end(folder: Folder) {
    let works = WorkIterator::<waits_to_go>::builder().shared(folder.clone());
    let works = works.pop_timeout(Duration::from_millis(20));
    let works = works.start().unwrap();
    for _ in 0..3 {
        let stalled = works.next().unwrap().unwrap_err();
        assert_eq!(stalled, PopError::Empty);
        assert!(stalled.to_string().contains("no work is lost"), "{stalled}");
    }
    assert!(folder.first("go"));
    let (id, value) = works.iter().find_map(Result::ok).unwrap();
    assert_eq!(id, value.unwrap());
}

#[test_with(alone)]
fn none_is_kept_and_can_be_skipped() {
    fn value<V, E: std::fmt::Debug>(item: Result<(u64, Result<V, E>), PopError>) -> (u64, V) {
        let (id, outcome) = item.unwrap();
        (id, outcome.unwrap())
    }
    let works = || WorkIterator::<some_even>::builder().num_works(100);
    let skipped = works().skip_null().start().unwrap();
    let values: BTreeSet<(u64, u64)> = skipped.iter().map(value).collect();
    assert_eq!(values, (0..50).map(|n| (2 * n, 2 * n)).collect());

    let kept = works().start().unwrap();
    let values: BTreeSet<(u64, Option<u64>)> = kept.iter().map(value).collect();
    let even = |n: u64| n.is_multiple_of(2).then_some(n);
    assert_eq!(values, (0..100).map(|n| (n, even(n))).collect());

    let works = WorkIterator::<third_or_error>::builder().num_works(90);
    let works = works.skip_null().start().unwrap();
    let outcomes = works.iter().map(|item| item.unwrap().1);
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (30, 30));
    let counts = works.counters();
    let counts = (counts.sent, counts.received, counts.retrieved);
    assert_eq!(counts, (90, 90, 60));
}

/// Case M135: Above `memory_mark` there is one worker.
#[test_with(alone)]
fn short_memory_leaves_one_worker() {
    for (mark, workers) in [(0.0, 1), (1.0, 3)] {
        let works = WorkIterator::<double>::builder().processes(3);
        let works = works.memory_mark(mark).start().unwrap();
        assert_eq!(works.num_workers(), workers);
        if workers == 1 {
            assert_eq!(works.iter().take(500).filter(Result::is_ok).count(), 500);
            assert_eq!(works.stats().workers_started, 1);
        }
    }
}

#[test_with(alone)]
fn inside_a_runtime_and_of_async_functions() {
    let sum: u64 = block_on(async {
        let works = WorkIterator::<double_async>::builder().buffer_size(1);
        let works = works.num_works(500).start().unwrap();
        works.iter().map(|item| item.unwrap().1.unwrap()).sum()
    });
    assert_eq!(sum, 499 * 500);
}

#[test_with(alone)]
fn no_works_and_no_worker_are_ends() {
    let works = WorkIterator::<double>::builder().num_works(0);
    assert!(works.start().unwrap().next().is_none());
    let works = WorkIterator::<double>::builder().buffer_size(3);
    let works = works.configure(|run| run.workers(WorkerOptions::new().program("/bin/false")));
    let works = works.start().unwrap();
    let outcomes: Vec<_> = works.iter().map(|item| item.unwrap().1).collect();
    assert!(!outcomes.is_empty());
    for outcome in &outcomes {
        assert_is!(outcome.as_ref().unwrap_err().kind(), TaskErrorKind::Pool(_));
    }
}

#[test_with(alone)]
fn the_next_iterator_finds_the_workers_of_a_pool() {
    let pool = Pool::builder().processes(1).start().unwrap();
    let pids = || -> BTreeSet<u32> {
        let builder = WorkIterator::<pid>::builder().num_works(100);
        let works = builder.configure(|run| run.pool(&pool)).start().unwrap();
        works.iter().map(|item| item.unwrap().1.unwrap()).collect()
    };
    let first = pids();
    assert_eq!(first.len(), 1);
    assert_eq!(pids(), first);
}

#[test_with(alone)]
fn a_storm_over_threads() {
    let census = Census::default();
    let works = WorkIterator::<double>::builder()
        .processes(2)
        .buffer_size(40)
        .num_works(4000)
        .configure(|run| census.watch(run.crash_limit(1000)))
        .start()
        .unwrap();
    each_once(&works, 3, 4000, |id| {
        if id % 500 == 250 {
            census.kill_all();
        }
    });
    assert!(works.stats().workers_died > 0);
}
