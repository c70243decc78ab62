//! Rule 4: a bee that joins gets what waits. How many bees there are, and who may ask for them.

use std::time::Duration;

use mt_beehive::{Dispatch, Population, TaskResult, hive_of};

use crate::{
    bees::{Birth, Doer, DoerTasks, note, noted},
    scene::{block_on, check, children, hive, reign, until},
};

/// The only bee is full, and another one is asked for.
#[test]
fn rule_04_a_bee_that_joins_gets_what_waits() {
    check(|| {
        reign(
            || hive(1).max_concurrency(1),
            |hive| async move {
                let folder = tempfile::tempdir().unwrap();
                let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
                let first = hive.await_notes(begun.clone(), go.clone(), 1);
                let second = async {
                    until(|| noted(&begun) == 1).await;
                    let (waits, ()) = tokio::join!(hive.add(1, 2), async { drop(hive.spawn()) });
                    assert_eq!(waits, (TaskResult::Succeeded(3), Some(1)));
                    note(&go);
                };
                let (first, ()) = tokio::join!(first, second);
                assert_eq!(first, (TaskResult::Succeeded(1), Some(0)));
            },
        );
    });
}

/// The first delegate does not wait for anything but her birth.
#[test]
fn rule_04_what_is_delegated_before_there_are_bees_is_done() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let all = (0..100).map(|n| hive.add(n, 1));
                for (n, (result, _)) in (0..).zip(futures::future::join_all(all).await) {
                    assert_eq!(result, TaskResult::Succeeded(n + 1));
                }
            },
        );
    });
}

#[test]
fn bees_come_and_go_as_the_queen_wants() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                hive.spawn();
                hive.spawn();
                until(|| children().len() == 3).await;
                hive.bury(Some(1));
                until(|| children().len() == 2).await;
                hive.bury(Some(1));
                hive.bury(Some(77));
                hive.bury(None);
                until(|| children().len() == 1).await;
                assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
                hive.bury(None);
                until(|| children().is_empty()).await;
                // Without bees a task waits for one.
                let (waits, ()) = tokio::join!(hive.add(1, 2), async {
                    tokio::task::yield_now().await;
                    hive.spawn();
                });
                assert_eq!(waits, (TaskResult::Succeeded(3), Some(3)));
            },
        );
    });
}

/// Nobody is left to do it, and nobody can ask for a bee any more.
#[test]
fn a_hive_that_has_buried_its_last_bee_dies_all_the_same() {
    check(|| {
        let other = block_on(hive(1).run(async |hive| {
            let _ = hive.pid().await;
            hive.bury(None);
            until(|| children().is_empty()).await;
            let (polled, is_polled) = tokio::sync::oneshot::channel();
            let other = std::thread::spawn(move || {
                let mut task = hive.add(1, 2);
                let first = futures::FutureExt::now_or_never(&mut task);
                assert!(first.is_none(), "nobody can have done it");
                polled.send(()).unwrap();
                futures::executor::block_on(task)
            });
            is_polled.await.unwrap();
            other
        }));
        let (result, child) = other.unwrap().join().unwrap();
        let reason = crate::scene::reason(result);
        assert!(reason.contains("no worker bee could be had"), "{reason}");
        assert_eq!(child, None);
    });
}

/// As many as the tasks that wait need, one a period; the seed's rule for fewer needs a full machine.
#[test]
fn an_elastic_hive_grows_while_there_is_more_to_do() {
    check(|| {
        for dispatch in [Dispatch::Auction, Dispatch::Credit] {
            let population = Population::Elastic {
                min: 1,
                max: 3,
                period: Duration::from_millis(20),
            };
            let run = hive_of::<Doer>(Birth::Well)
                .population(population)
                .dispatch(dispatch)
                .max_concurrency(1);
            let run = run.run(async |hive| {
                let folder = tempfile::tempdir().unwrap();
                let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
                let all = (0..6).map(|_| hive.await_notes(begun.clone(), go.clone(), 1));
                let all = futures::future::join_all(all);
                let opens = async {
                    // A machine that is full for other reasons has no room for more.
                    let full = || mt_pool::used_cpu_too_much() || mt_pool::used_memory_too_much();
                    until(|| noted(&begun) == 3 || full()).await;
                    assert!(children().len() <= 3);
                    note(&go);
                };
                let (all, ()) = tokio::join!(all, opens);
                assert!(all.iter().all(|done| done.0 == TaskResult::Succeeded(1)));
            });
            block_on(run).unwrap();
        }
    });
}

#[test]
fn a_hive_is_used_from_several_threads() {
    check(|| {
        reign(
            || hive(2),
            |hive| async move {
                let threads: Vec<_> = (0..4_u64)
                    .map(|thread| {
                        let hive = hive.clone();
                        std::thread::spawn(move || {
                            let all = (0..500).map(|n| hive.add(n, thread));
                            let all = futures::executor::block_on(futures::future::join_all(all));
                            for (n, (result, _)) in (0..).zip(all) {
                                assert_eq!(result, TaskResult::Succeeded(n + thread));
                            }
                        })
                    })
                    .collect();
                until(|| threads.iter().all(|thread| thread.is_finished())).await;
                threads
                    .into_iter()
                    .for_each(|thread| thread.join().unwrap());
            },
        );
    });
}
