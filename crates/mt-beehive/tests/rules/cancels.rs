//! Rule 11: what nobody waits for any more is cancelled, and over when it is told. Rule 10: nothing is begun
//! again before whoever had it is gone.

use std::{path::PathBuf, time::Duration};

use mt_beehive::{Hive, TaskResult};

use crate::{
    bees::{Deed, Doer, DoerTasks, note, noted},
    scene::{check, hive, is_gone, reason, reign, until},
};

const LIMIT: Duration = Duration::from_millis(50);
/// Longer than a bee takes on any machine.
const LONG: Duration = Duration::from_secs(3600);

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

async fn pid(hive: &Hive<Doer>) -> u32 {
    hive.pid().await.0.ok().unwrap()
}

#[test]
fn rule_11_a_delegate_that_is_never_awaited_is_nothing() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let files = Files::new();
                let (begun, dropped) = (files.file("begun"), files.file("dropped"));
                drop(hive.wait(begun.clone(), dropped));
                assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
                assert_eq!(noted(&begun), 0);
            },
        );
    });
}

/// Its future is dropped in the bee, at the `await` where it is, and she goes on.
#[test]
fn rule_11_a_delegate_dropped_while_it_runs_is_gone_from_the_bee() {
    check(|| {
        reign(
            || hive(1).cancel_grace(LONG),
            |hive| async move {
                let files = Files::new();
                let (begun, dropped) = (files.file("begun"), files.file("dropped"));
                let bee = pid(&hive).await;
                let waits = hive.wait(begun.clone(), dropped.clone());
                tokio::select! {
                    _ = waits => panic!("it waits for ever"),
                    () = until(|| noted(&begun) == 1) => {}
                }
                until(|| noted(&dropped) == 1).await;
                assert_eq!(pid(&hive).await, bee, "she was not killed for it");
            },
        );
    });
}

#[test]
fn rule_11_a_delegate_dropped_before_a_bee_has_it_is_never_begun() {
    check(|| {
        reign(
            || hive(1).max_concurrency(1),
            |hive| async move {
                let files = Files::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let second = files.file("second");
                let first = hive.await_notes(begun.clone(), go.clone(), 1);
                let drops = async {
                    until(|| noted(&begun) == 1).await;
                    let waits = hive.wait(second.clone(), files.file("dropped"));
                    let polled = tokio::time::timeout(Duration::from_millis(1), waits).await;
                    assert!(polled.is_err());
                    note(&go);
                };
                let (first, ()) = tokio::join!(first, drops);
                assert_eq!(first.0, TaskResult::Succeeded(1));
                assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
                assert_eq!(noted(&second), 0);
            },
        );
    });
}

#[test]
fn rule_11_many_dropped_at_once() {
    check(|| {
        reign(
            || hive(2).max_concurrency(16),
            |hive| async move {
                for n in 0..50_u32 {
                    let all = (0..64).map(|a| hive.add(a, 1));
                    let all = futures::future::join_all(all);
                    // Some have ended, some run, some are on offer, some wait.
                    let _ =
                        tokio::time::timeout(Duration::from_micros(u64::from(n) * 20), all).await;
                }
                assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
            },
        );
    });
}

#[test]
fn rule_11_a_deadline_ends_what_awaits() {
    check(|| {
        reign(
            || hive(1).cancel_grace(LONG),
            |hive| async move {
                let files = Files::new();
                let dropped = files.file("dropped");
                let bee = pid(&hive).await;
                let waits = hive.wait(files.file("begun"), dropped.clone());
                let (result, _) = waits.deadline(LIMIT).await;
                assert!(reason(result).starts_with("deadline: "));
                // If it was begun, it is over: nobody does it when that is told.
                assert_eq!(noted(&dropped), noted(&files.file("begun")));
                assert_eq!(pid(&hive).await, bee, "she let go of it");
            },
        );
    });
}

/// She is killed. What else she did is begun again, and not charged: with one attempt more it would be lost.
#[test]
fn rule_10_a_bee_that_blocks_past_a_deadline_is_killed_and_the_others_go_on() {
    check(|| {
        reign(
            || hive(1).crash_limit(2),
            |hive| async move {
                let files = Files::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let others = (0..10).map(|_| hive.await_notes(begun.clone(), go.clone(), 1));
                let others = futures::future::join_all(others);
                let blocks = async {
                    for round in 1..=3 {
                        until(|| noted(&begun) == 10 * round).await;
                        let bee = pid(&hive).await;
                        let (result, child) = hive.act(Deed::Block).deadline(LIMIT).await;
                        assert!(reason(result).starts_with("deadline: "));
                        assert_eq!(child, None);
                        assert!(is_gone(bee), "told when she is gone, not before");
                    }
                    until(|| noted(&begun) == 40).await;
                    note(&go);
                };
                let (others, ()) = tokio::join!(others, blocks);
                for (result, child) in others {
                    assert_eq!((result, child), (TaskResult::Succeeded(4), Some(3)));
                }
            },
        );
    });
}

/// With at most one attempt they are not begun again, whoever is to blame.
#[test]
fn rule_06_at_most_once_holds_for_those_who_are_not_to_blame() {
    check(|| {
        reign(
            || hive(1).crash_limit(1),
            |hive| async move {
                let files = Files::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let other = hive.await_notes(begun.clone(), go, 1);
                let blocks = async {
                    until(|| noted(&begun) == 1).await;
                    let (result, _) = hive.act(Deed::Block).deadline(LIMIT).await;
                    assert!(reason(result).starts_with("deadline: "));
                };
                let ((other, _), ()) = tokio::join!(other, blocks);
                assert!(reason(other).starts_with("worker_lost: "));
                assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
                assert_eq!(noted(&begun), 1);
            },
        );
    });
}

/// Dropped, it is cancelled like one that is past its deadline; whoever does not let go is killed.
#[test]
fn rule_11_a_delegate_dropped_while_it_blocks_costs_the_bee() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let bee = pid(&hive).await;
                let files = Files::new();
                let begun = files.file("begun");
                let blocks = hive.block_until(begun.clone(), files.file("never"));
                tokio::select! {
                    _ = blocks => panic!("it blocks for ever"),
                    () = until(|| noted(&begun) == 1) => {}
                }
                until(|| is_gone(bee)).await;
                assert_ne!(pid(&hive).await, bee, "another one is there");
            },
        );
    });
}

#[test]
fn rule_02_what_waits_for_a_place_has_its_deadline_all_the_same() {
    check(|| {
        reign(
            || hive(1).max_concurrency(1),
            |hive| async move {
                let files = Files::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let first = hive.await_notes(begun.clone(), go.clone(), 1);
                let second = async {
                    until(|| noted(&begun) == 1).await;
                    let (result, child) = hive.add(1, 2).deadline(LIMIT).await;
                    assert!(reason(result).starts_with("deadline: "));
                    assert_eq!(child, None);
                    note(&go);
                };
                let ((first, _), ()) = tokio::join!(first, second);
                assert_eq!(first, TaskResult::Succeeded(1));
            },
        );
    });
}
