//! Rule 12: reading never stops, so that big things cross both ways at once.

use bytes::Bytes;
use mt_beehive::TaskResult;

use crate::{
    bees::{DoerTasks, noted},
    scene::{check, hive, reign, until},
};

/// 8 MiB, more than any pipe holds.
fn big(n: u8) -> Bytes {
    vec![n; 8 << 20].into()
}

#[test]
fn rule_12_big_arguments_and_results_cross_both_ways_at_once() {
    check(|| {
        reign(
            || hive(2),
            |hive| async move {
                let all = (0..64_u8).map(|n| {
                    let hive = hive.clone();
                    async move {
                        let (result, _) = hive.echo(big(n)).await;
                        assert!(result == TaskResult::Succeeded(big(n)), "{n}");
                    }
                });
                futures::future::join_all(all).await;
            },
        );
    });
}

/// She reads and is answered although her thread is blocked and what she is sent is more than a pipe holds.
#[test]
fn rule_12_a_blocked_bee_is_sent_all_the_same() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let folder = tempfile::tempdir().unwrap();
                let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
                let blocks = hive.block_until(begun.clone(), go.clone());
                let sends = async {
                    until(|| noted(&begun) == 1).await;
                    let all = (0..16_u8).map(|n| hive.echo(big(n)));
                    let all = futures::future::join_all(all);
                    let asks = async {
                        let (busy, _) = hive.busy_status().await;
                        crate::bees::note(&go);
                        assert!(matches!(busy, TaskResult::Succeeded(busy) if busy > 0.0));
                    };
                    let (all, ()) = tokio::join!(all, asks);
                    for (n, (result, _)) in (0..).zip(all) {
                        assert!(result == TaskResult::Succeeded(big(n)), "{n}");
                    }
                };
                let ((blocked, _), ()) = tokio::join!(blocks, sends);
                assert_eq!(blocked, TaskResult::Succeeded(()));
            },
        );
    });
}
