//! Rule 12: reading never stops, so that big things cross both ways at once.

use bytes::Bytes;
use futures::future::join_all;
use mt_beehive::Hive;

use crate::{
    doer::{Doer, DoerTasks},
    scene::{Folder, begun, either_way, hive, test_with},
};

/// Sends so many times 8 MiB, more than any pipe holds, to and fro.
async fn echo(hive: &Hive<Doer>, times: u8) {
    let all = (0..times).map(async |n| {
        let big = Bytes::from(vec![n; 8 << 20]);
        assert!(hive.echo(big.clone()).await == Ok(big), "{n}");
    });
    join_all(all).await;
}

#[test_with(either_way, || hive(2))]
async fn rule_12_big_arguments_and_results_cross_both_ways_at_once(hive: Hive<Doer>) {
    echo(&hive, 64).await;
}

/// A bee reads and is answered although its thread is blocked and what it is sent is more than a pipe holds.
#[test_with(either_way, || hive(1))]
async fn rule_12_a_blocked_bee_is_sent_all_the_same(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let sends = async {
        begun(&folder, 1).await;
        let asks = async {
            let busy = hive.busy_status().await;
            folder.first("go");
            assert!(busy.unwrap() > 0.0);
        };
        tokio::join!(echo(&hive, 16), asks);
    };
    let (blocked, ()) = tokio::join!(hive.block_until(folder.clone()), sends);
    blocked.unwrap();
}
