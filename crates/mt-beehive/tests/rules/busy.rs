//! Rule 1: a task counts until it has ended. Rule 13: whoever asks how busy a bee is gets an answer while she
//! works.

use mt_beehive::TaskResult;

use crate::{
    bees::{DoerTasks, note, noted},
    scene::{check, hive, reign, until},
};

#[test]
fn rule_01_a_bee_does_1024_tasks_at_once_and_never_more() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let all = (0..3000).map(|_| hive.meet(1024));
                for (result, _) in futures::future::join_all(all).await {
                    assert_eq!(result, TaskResult::Succeeded(1024));
                }
            },
        );
    });
}

#[test]
fn rule_01_as_many_as_she_may() {
    check(|| {
        for most in [1, 2, 7] {
            reign(
                || hive(1).max_concurrency(most),
                |hive| async move {
                    let all = (0..50).map(|_| hive.meet(most as usize));
                    for (result, _) in futures::future::join_all(all).await {
                        assert_eq!(result, TaskResult::Succeeded(most as usize));
                    }
                },
            );
        }
    });
}

#[test]
fn rule_13_a_bee_that_is_blocked_says_how_busy_she_is() {
    check(|| {
        reign(
            || hive(1).max_concurrency(4),
            |hive| async move {
                let folder = tempfile::tempdir().unwrap();
                let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
                let blocks = hive.block_until(begun.clone(), go.clone());
                let asks = async {
                    until(|| noted(&begun) == 1).await;
                    // Her only thread is blocked by one of four; the question is another.
                    let (busy, child) = hive.busy_status().await;
                    note(&go);
                    assert_eq!((busy, child), (TaskResult::Succeeded(0.5), Some(0)));
                };
                let ((blocked, _), ()) = tokio::join!(blocks, asks);
                assert_eq!(blocked, TaskResult::Succeeded(()));
            },
        );
    });
}

#[test]
fn rule_13_without_a_limit_nobody_is_busy() {
    check(|| {
        reign(
            || hive(1).max_concurrency(None),
            |hive| async move {
                assert_eq!(hive.busy_status().await.0, TaskResult::Succeeded(0.0));
            },
        );
    });
}
