//! Rules 5 to 7: whatever ends a bee, her tasks are begun again or end, and she is replaced.

use std::path::PathBuf;

use mt_beehive::{Hive, TaskResult};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    bees::{Deed, Doer, DoerTasks, note, noted},
    scene::{check, children, hive, reason, reign, until},
};

async fn works(hive: &Hive<Doer>) {
    assert_eq!(hive.add(1, 2).await.0, TaskResult::Succeeded(3));
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

#[test]
fn rule_06_whatever_ends_a_bee_is_the_reason() {
    check(|| {
        let all = [
            (Deed::Abort, "signal 6"),
            (Deed::Segfault, "signal 11"),
            (Deed::Overflow, "signal 6"),
            (Deed::PanicTwice, "signal 6"),
            (Deed::Signal(9), "signal 9"),
            (Deed::Signal(15), "signal 15"),
            (Deed::Exit(0), "code 0"),
            (Deed::Exit(42), "code 42"),
        ];
        let all = &all;
        reign(
            || hive(1).crash_limit(1),
            |hive| async move {
                for (deed, expected) in all {
                    let (result, child) = hive.act(deed.clone()).await;
                    let reason = reason(result);
                    assert!(reason.starts_with("worker_lost: "), "{reason}");
                    assert!(reason.contains(expected), "{deed:?}: {reason}");
                    assert!(reason.contains("(attempts: 1)"), "{reason}");
                    assert_eq!(child, None);
                }
                works(&hive).await;
            },
        );
    });
}

/// Each attempt is begun once, and no more often than it may be.
#[test]
fn rule_06_a_task_that_kills_is_given_up_after_so_many_deaths() {
    check(|| {
        for (limit, begun) in [(0, 1), (1, 1), (2, 2), (3, 3)] {
            reign(
                || hive(1).crash_limit(limit),
                |hive| async move {
                    let folder = tempfile::tempdir().unwrap();
                    let log = folder.path().join("begun");
                    let (result, _) = hive.note_and_act(log.clone(), Deed::Abort).await;
                    let reason = reason(result);
                    assert!(reason.contains(&format!("(attempts: {begun})")), "{reason}");
                    assert_eq!(noted(&log), begun);
                    works(&hive).await;
                },
            );
        }
    });
}

/// A hive whose tasks wait for a file: the files' names, and one task that waits.
struct Waiting {
    folder: tempfile::TempDir,
}

impl Waiting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn rule_06_another_attempt_may_succeed() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let files = Waiting::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let bee = hive.pid().await.0.ok().unwrap();
                let task = hive.await_notes(begun.clone(), go.clone(), 1);
                let killer = async {
                    until(|| noted(&begun) == 1).await;
                    kill(bee);
                    until(|| noted(&begun) == 2).await;
                    note(&go);
                };
                let (done, ()) = tokio::join!(task, killer);
                assert_eq!(done, (TaskResult::Succeeded(2), Some(1)), "by the next bee");
            },
        );
    });
}

#[test]
fn rule_07_a_bee_killed_while_she_is_idle_costs_nothing() {
    check(|| {
        reign(
            || hive(2).crash_limit(1),
            |hive| async move {
                // Each has told her id, so each is up.
                let mut pids = std::collections::BTreeSet::new();
                while pids.len() < 2 {
                    let (one, other) = tokio::join!(hive.pid(), hive.pid());
                    pids.extend([one, other].map(|done| done.0.ok().unwrap()));
                }
                pids.iter().copied().for_each(kill);
                // When others are there, it is known that they are gone.
                until(|| children().iter().filter(|pid| !pids.contains(pid)).count() == 2).await;
                for _ in 0..10 {
                    works(&hive).await;
                }
            },
        );
    });
}

/// A task may be given to a bee whose death is not known yet, which counts: to each of three once.
#[test]
fn all_bees_killed_at_once() {
    check(|| {
        reign(
            || hive(3).crash_limit(4),
            |hive| async move {
                let files = Waiting::new();
                let (begun, go) = (files.file("begun"), files.file("go"));
                let all = (0..30).map(|_| hive.await_notes(begun.clone(), go.clone(), 1));
                let killer = async {
                    until(|| noted(&begun) == 30).await;
                    // Perhaps some did not need the third.
                    until(|| children().len() == 3).await;
                    let bees = children();
                    bees.into_iter().for_each(kill);
                    // Who may have killed a bee is not begun again with all the others.
                    until(|| noted(&begun) > 30).await;
                    note(&go);
                };
                let (all, ()) = tokio::join!(futures::future::join_all(all), killer);
                for (result, child) in all {
                    assert!(matches!(result, TaskResult::Succeeded(2..)), "{result:?}");
                    assert!(child.is_some_and(|child| child >= 3), "by new bees");
                }
            },
        );
    });
}

/// With one task at once a bee's death is nobody else's.
#[test]
fn rule_06_one_that_kills_every_bee_loses_nobody_else() {
    check(|| {
        reign(
            || hive(2).max_concurrency(1),
            |hive| async move {
                let poison = (0..5).map(|_| hive.act(Deed::Segfault));
                let good = (0..100).map(|n| hive.add(n, n));
                let (poison, good) = tokio::join!(
                    futures::future::join_all(poison),
                    futures::future::join_all(good),
                );
                for (result, _) in poison {
                    assert!(reason(result).contains("(attempts: 3)"));
                }
                for (n, (result, _)) in (0..).zip(good) {
                    assert_eq!(result, TaskResult::Succeeded(2 * n));
                }
            },
        );
    });
}

/// She lives, but nobody can hear her.
#[test]
fn a_bee_that_closes_everything_is_a_dead_one() {
    check(|| {
        reign(
            || hive(1).crash_limit(1),
            |hive| async move {
                let (result, _) = hive.act(Deed::CloseAll).await;
                let reason = reason(result);
                assert!(reason.starts_with("worker_lost: "), "{reason}");
                works(&hive).await;
            },
        );
    });
}

#[test]
fn a_bee_that_writes_rubbish_where_her_results_go_is_killed() {
    check(|| {
        reign(
            || hive(1).crash_limit(1),
            |hive| async move {
                for bytes in [
                    vec![0xff; 64],
                    vec![0; 64],
                    b"GET / HTTP/1.1\r\n\r\n".to_vec(),
                ] {
                    let (result, _) = hive.act(Deed::Garble(bytes)).await;
                    let reason = reason(result);
                    assert!(
                        reason.starts_with("worker_lost: its worker process broke the protocol"),
                        "{reason}"
                    );
                    works(&hive).await;
                }
            },
        );
    });
}
