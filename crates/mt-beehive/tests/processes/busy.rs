//! Rule 1: a task counts until it has ended. Rule 13: whoever asks how busy a bee is gets an answer while that
//! works.

use futures::future::try_join_all;

use mt_beehive::Hive;

use crate::{
    doer::{Doer, DoerTasks},
    scene::{Folder, bees_that, begun, both_ways, check, either_way, hive, patient, test_with},
};

/// Case R4: A bee does a thousand tasks at once: 1,024, and never more.
#[test_with(either_way, || hive(1))]
async fn rule_01_a_bee_does_1024_tasks_at_once_and_never_more(hive: Hive<Doer>) {
    let all = (0..3000).map(|_| hive.meet(1024));
    assert_eq!(try_join_all(all).await, Ok(vec![1024; 3000]));
}

/// Case H28: A bee does as many tasks at once as `max_concurrency`.
#[test_with(check)]
fn rule_01_as_many_as_she_may() {
    for most in [1, 2, 7_usize] {
        let limited = || hive(1).max_concurrency(most as u32);
        both_ways(limited, async |hive| {
            let all = (0..50).map(|_| hive.meet(most));
            assert_eq!(try_join_all(all).await, Ok(vec![most; 50]));
        });
    }
}

/// Case D24: How busy a bee is, is answered while its thread is blocked.
#[test_with(either_way, || hive(1).max_concurrency(4))]
async fn rule_13_a_bee_that_is_blocked_says_how_busy_she_is(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let asks = async {
        begun(&folder, 1).await;
        // The only thread is blocked by one of four; the question is another.
        let busy = hive.busy_status().with_bee().await;
        folder.first("go");
        assert_eq!(busy, (Ok(0.5), Some(0)));
    };
    let (blocked, ()) = tokio::join!(hive.block_until(folder.clone()), asks);
    blocked.unwrap();
}

/// The question would wait for what it asks about if it needed a place.
#[test_with(either_way, || hive(1).max_concurrency(2).deadlines(patient()))]
async fn rule_13_a_bee_that_is_full_says_how_busy_she_is(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let asks = async {
        begun(&folder, 1).await;
        let busy = async {
            bees_that(&hive, |bees| bees[0].tasks == 2).await;
            let busy = hive.busy_status().await;
            folder.first("go");
            assert_eq!(busy, Ok(1.0));
        };
        let (sum, ()) = tokio::join!(hive.add(1, 2), busy);
        assert_eq!(sum, Ok(3));
    };
    let (blocked, ()) = tokio::join!(hive.block_until(folder.clone()), asks);
    blocked.unwrap();
}

#[test_with(either_way, || hive(1).max_concurrency(None))]
async fn rule_13_without_a_limit_nobody_is_busy(hive: Hive<Doer>) {
    assert_eq!(hive.busy_status().await, Ok(0.0));
}
