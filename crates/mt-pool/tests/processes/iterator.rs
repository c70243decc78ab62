//! `WorkIterator` over works that misbehave, shared by threads, closed and left alone.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use mt_pool::{DeathCause, Pool, PoolEvent, TaskErrorKind, WorkError, WorkIterator, task};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    deed::{Deed, note, noted},
    scene::check,
};

#[task]
pub(crate) fn double(n: u64) -> u64 {
    2 * n
}

#[task]
async fn double_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    2 * n
}

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

#[task]
fn act_by_turns(#[shared] deeds: &[Deed], n: u64) -> u64 {
    deeds[n as usize % deeds.len()].clone().act()
}

#[task]
fn waits_for(#[shared] file: &String, n: u64) -> u64 {
    while !std::path::Path::new(file).exists() {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    n
}

/// The numbers that were noted as returned when the work began.
#[task]
fn sees(#[shared] log: &str, n: u64) -> (u64, u64) {
    (n, noted(log.as_ref()).len() as u64)
}

/// A number that does not serialise when it is odd.
#[derive(Debug, Deserialize)]
struct Even(u64);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(2) {
            return self.0.serialize(serializer);
        }
        Err(serde::ser::Error::custom("odd"))
    }
}

#[task]
fn even_crosses(n: u64) -> Even {
    Even(n)
}

#[test]
fn neither_death_nor_error_ends_it() {
    check(|| {
        let deeds = vec![
            Deed::Return(0),
            Deed::Abort,
            Deed::Panic("no".into()),
            Deed::Exit(3),
            Deed::Segfault,
            Deed::Exit(0),
            Deed::Return(6),
            Deed::Signal(9),
        ];
        let kinds = deeds.len() as u64;
        let works = WorkIterator::<act_by_turns>::builder()
            .shared(deeds)
            .max_num_workers(2)
            .options(|run| run.crash_limit(2))
            .start()
            .unwrap();
        let mut seen = BTreeSet::new();
        for item in works.iter().take(5 * kinds as usize) {
            let id = match item {
                Ok((id, value)) => {
                    assert_eq!(value, id % kinds);
                    id
                }
                Err(error) => {
                    let id = error.work_id().unwrap();
                    let code = match error.task().unwrap().kind() {
                        TaskErrorKind::Panicked { message, .. } if message == "no" => 2,
                        TaskErrorKind::Crashed { death, attempts: 2 } => {
                            assert_eq!(death.cause, DeathCause::Itself);
                            match (death.exit.code, death.exit.signal) {
                                (_, Some(6)) => 1,
                                (Some(3), _) => 3,
                                (_, Some(11)) => 4,
                                (Some(0), _) => 5,
                                (_, Some(9)) => 7,
                                other => panic!("{other:?}"),
                            }
                        }
                        other => panic!("{other:?}"),
                    };
                    assert_eq!(code, id % kinds);
                    id
                }
            };
            assert!(seen.insert(id), "{id} came twice");
        }
        assert!(works.stats().workers_died >= 5);
    });
}

#[test]
fn what_does_not_serialise_takes_no_place() {
    check(|| {
        let works = WorkIterator::<even_crosses>::builder()
            .buffer_size(4)
            .max_num_workers(2)
            .start()
            .unwrap();
        let (mut good, mut bad) = (0, 0);
        for item in works.iter().take(300) {
            match item {
                Ok((id, value)) => {
                    assert_eq!(value.0, id);
                    good += 1;
                }
                Err(error) => {
                    assert!(error.work_id().unwrap() % 2 == 1);
                    let kind = error.task().unwrap().kind();
                    assert!(matches!(kind, TaskErrorKind::Unserialisable(_)), "{kind:?}");
                    bad += 1;
                }
            }
            let counts = works.counters();
            assert_eq!(counts.sent - counts.received, 3, "and the one returned");
        }
        assert!(good >= 148 && bad >= 148, "{good} {bad}");
    });
}

#[test]
fn the_buffer_is_never_exceeded() {
    check(|| {
        for (buffer, threads) in [(1, 1), (2, 1), (5, 1), (64, 1), (1, 3), (7, 3)] {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("returned");
            let works = WorkIterator::<sees>::builder()
                .shared(log.display().to_string())
                .buffer_size(buffer)
                .max_num_workers(2)
                .start()
                .unwrap();
            let take = || {
                for item in works.iter().take(200) {
                    let (id, (n, returned)) = item.unwrap();
                    assert_eq!(id, n);
                    // Works up to this one were handed out. Other threads may have theirs and not have
                    // noted it yet.
                    let allowed = returned + buffer as u64 + threads - 1;
                    assert!(id < allowed, "{id} {returned} {buffer}");
                    note(&log, 1);
                }
            };
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(take);
                }
            });
        }
    });
}

#[test]
fn threads_that_share_it_get_each_work_once() {
    check(|| {
        for (threads, buffer) in [(2, None), (4, Some(1)), (4, Some(3)), (8, None)] {
            let mut builder = WorkIterator::<double>::builder().max_num_workers(2);
            if let Some(buffer) = buffer {
                builder = builder.buffer_size(buffer);
            }
            let works = builder.num_works(3000).start().unwrap();
            let seen = Mutex::new(BTreeSet::new());
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for item in &works {
                            let (id, value) = item.unwrap();
                            assert_eq!(value, 2 * id);
                            assert!(seen.lock().unwrap().insert(id), "{id} came twice");
                        }
                    });
                }
            });
            assert_eq!(seen.into_inner().unwrap().len(), 3000);
            assert!(works.next().is_none(), "the end stays the end");
        }
    });
}

#[test]
fn a_thread_that_takes_one_leaves_the_others_theirs() {
    check(|| {
        // With one place, each result makes room for the next work of another thread.
        let works = WorkIterator::<double>::builder()
            .buffer_size(1)
            .start()
            .unwrap();
        let sum = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let (id, _) = works.next().unwrap().unwrap();
                    sum.fetch_add(id, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(sum.into_inner(), 19 * 10);
    });
}

#[test]
fn closing_wakes_who_waits_in_other_threads() {
    check(|| {
        let works = WorkIterator::<waits_for>::builder()
            .shared("/there/is/no/such/file".into())
            .max_num_workers(2)
            .start()
            .unwrap();
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| works.next())).collect();
            // Once a worker is at it, they wait, or are about to.
            mt_test_kit::wait_until(|| works.stats().workers_started > 0);
            works.close();
            assert_eq!(mt_test_kit::children(), [0_u32; 0], "gone when it returns");
            for thread in waiting {
                assert!(thread.join().unwrap().is_none());
            }
        });
        works.close();
        assert!(works.next().is_none());
    });
}

#[test]
fn nothing_in_time_is_no_end() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("go");
        let works = WorkIterator::<waits_for>::builder()
            .shared(file.display().to_string())
            .pop_timeout(Duration::from_millis(20))
            .start()
            .unwrap();
        for _ in 0..3 {
            let stalled = works.next().unwrap().unwrap_err();
            assert!(
                matches!(&stalled, WorkError::Stalled { option, .. } if *option == "pop_timeout")
            );
            assert!(stalled.to_string().contains("none is lost"), "{stalled}");
        }
        std::fs::write(&file, "").unwrap();
        let first = works.iter().find_map(Result::ok).unwrap();
        assert_eq!(first.0, first.1);
    });
}

#[test]
fn none_is_skipped_and_can_be_kept() {
    check(|| {
        let works = WorkIterator::<some_even>::builder().num_works(100);
        let mut values: Vec<(u64, u64)> =
            works.start().unwrap().iter().map(Result::unwrap).collect();
        values.sort_unstable();
        assert_eq!(values, (0..50).map(|n| (2 * n, 2 * n)).collect::<Vec<_>>());

        let works = WorkIterator::<some_even>::builder()
            .num_works(100)
            .keep_null()
            .start()
            .unwrap();
        let mut values: Vec<(u64, Option<u64>)> = works.iter().map(Result::unwrap).collect();
        values.sort_unstable();
        assert_eq!(values.len(), 100);
        assert!(
            values
                .iter()
                .all(|(id, value)| *value == id.is_multiple_of(2).then_some(*id))
        );

        let works = WorkIterator::<third_or_error>::builder().num_works(90);
        let works = works.start().unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = works.iter().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (30, 30));
        let counts = works.counters();
        assert_eq!(
            (counts.sent, counts.received, counts.retrieved),
            (90, 90, 60)
        );
    });
}

#[test]
fn short_memory_leaves_one_worker() {
    check(|| {
        let works = WorkIterator::<double>::builder()
            .max_num_workers(3)
            .memory_mark(0.0)
            .start()
            .unwrap();
        assert_eq!(works.num_workers(), 1);
        assert_eq!(works.iter().take(500).filter(Result::is_ok).count(), 500);
        assert_eq!(works.stats().workers_started, 1);
        let works = WorkIterator::<double>::builder()
            .max_num_workers(3)
            .memory_mark(1.0)
            .start()
            .unwrap();
        assert_eq!(works.num_workers(), 3);
    });
}

#[test]
fn inside_a_runtime_and_of_async_functions() {
    check(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let sum: u64 = runtime.block_on(async {
            let works = WorkIterator::<double_async>::builder().buffer_size(1);
            let works = works.num_works(500).start().unwrap();
            works.iter().map(|item| item.unwrap().1).sum()
        });
        assert_eq!(sum, 499 * 500);
    });
}

#[test]
fn no_works_and_no_worker_are_ends() {
    check(|| {
        let works = WorkIterator::<double>::builder().num_works(0);
        assert!(works.start().unwrap().next().is_none());
        let works = WorkIterator::<double>::builder()
            .buffer_size(3)
            .options(|run| run.worker_program("/bin/false"))
            .start()
            .unwrap();
        let failed: Vec<_> = works.iter().map(Result::unwrap_err).collect();
        assert!(!failed.is_empty());
        for error in &failed {
            let kind = error.task().unwrap().kind();
            assert!(matches!(kind, TaskErrorKind::Pool(_)), "{kind:?}");
        }
    });
}

#[task]
fn pid(_: u64) -> u32 {
    std::process::id()
}

#[test]
fn the_next_iterator_finds_the_workers_of_a_pool() {
    check(|| {
        let pool = Pool::builder().processes(1).build().unwrap();
        let pids = || -> BTreeSet<u32> {
            let builder = WorkIterator::<pid>::builder().num_works(100);
            let works = builder.options(|run| run.pool(&pool)).start().unwrap();
            works.iter().map(|item| item.unwrap().1).collect()
        };
        let first = pids();
        assert_eq!(first.len(), 1);
        assert_eq!(pids(), first);
    });
}

#[test]
fn a_storm_over_threads() {
    check(|| {
        let living = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
        let told = std::sync::Arc::clone(&living);
        let works = WorkIterator::<double>::builder()
            .max_num_workers(2)
            .buffer_size(40)
            .num_works(4000)
            .options(|run| {
                run.crash_limit(1000).observe(move |event| match event {
                    PoolEvent::WorkerStarted { pid, .. } => drop(told.lock().unwrap().insert(*pid)),
                    PoolEvent::WorkerDied { pid, .. } | PoolEvent::WorkerLeft { pid, .. } => {
                        told.lock().unwrap().remove(pid);
                    }
                    _ => {}
                })
            })
            .start()
            .unwrap();
        let seen = Mutex::new(BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for item in &works {
                        let (id, value) = item.unwrap();
                        assert_eq!(value, 2 * id);
                        assert!(seen.lock().unwrap().insert(id), "{id} came twice");
                        if id % 500 == 250 {
                            crate::storms::kill_all(&living);
                        }
                    }
                });
            }
        });
        assert_eq!(seen.into_inner().unwrap().len(), 4000);
        assert!(works.stats().workers_died > 0);
    });
}
