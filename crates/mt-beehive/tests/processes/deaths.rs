//! Rules 5 to 7: whatever ends a bee, its tasks are begun again or end, and it is replaced.

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use mt_beehive::{Hive, supervision::DeathCause};

use crate::{
    doer::{Deed, Doer, DoerTasks},
    scene::{
        Folder, Signal, begun, both_ways, check, children, either_way, hive, lost, ready_bees,
        reason, signal, test_with, until,
    },
};

async fn works(hive: &Hive<Doer>) {
    assert_eq!(hive.add(1, 2).await, Ok(3));
}

fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Case H9: However a bee ends, `WorkerLost` says how.
#[test_with(either_way, || hive(1).crash_limit(1))]
async fn rule_06_whatever_ends_a_bee_is_the_reason(hive: Hive<Doer>) {
    let all = [
        (Deed::Abort, None, Some(6)),
        (Deed::Segfault, None, Some(11)),
        (Deed::Overflow, None, Some(6)),
        (Deed::PanicTwice, None, Some(6)),
        (Deed::Signal(9), None, Some(9)),
        (Deed::Signal(15), None, Some(15)),
        (Deed::Exit(0), Some(0), None),
        (Deed::Exit(42), Some(42), None),
    ];
    for (deed, code, signal) in all {
        let (result, child) = hive.act(deed).with_bee().await;
        let (death, attempts) = lost(result);
        assert_eq!((death.exit.code, death.exit.signal), (code, signal));
        let cause = match signal {
            Some(15) => DeathCause::Terminated,
            _ => DeathCause::Itself,
        };
        assert_eq!((death.cause, attempts), (cause, 1));
        assert_eq!(child, None);
    }
    works(&hive).await;
}

/// Each attempt is begun once, and no more often than it may be.
///
/// Case R22: A task of which `crash_limit` bees have died is given up, and is begun no more often than that.
#[test_with(check)]
fn rule_06_a_task_that_kills_is_given_up_after_so_many_deaths() {
    for limit in 1..=3 {
        let limited = || hive(1).crash_limit(limit);
        both_ways(limited, async |hive| {
            let folder = Folder::temp();
            let killed = hive.note_and_act(folder.clone(), Deed::Abort).await;
            let shown = reason(killed.clone()).to_string();
            let how = "worker lost: its worker process ";
            assert!(shown.starts_with(how), "{shown}");
            let attempts = format!(" (attempts: {limit})");
            assert!(shown.contains(&attempts), "{shown}");
            assert_eq!(lost(killed).1, limit);
            assert_eq!(folder.noted("begun").len(), limit as usize);
            let (_, child) = hive.add(1, 2).with_bee().await;
            assert_eq!(child, Some(limit), "a new one");
        });
    }
}

/// Case R21: A bee that dies is replaced, and what it had begun is begun again by another.
#[test_with(either_way, || hive(1))]
async fn rule_06_another_attempt_may_succeed(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let bee = hive.pid().await.unwrap();
    let killer = async {
        begun(&folder, 1).await;
        kill(bee);
        begun(&folder, 2).await;
        folder.first("go");
    };
    let task = hive.wait_to_go(folder.clone()).with_bee();
    let (done, ()) = tokio::join!(task, killer);
    assert_eq!(done, (Ok(2), Some(1)), "by the next bee");
}

#[test_with(either_way, || hive(2).crash_limit(1))]
async fn rule_07_a_bee_killed_while_she_is_idle_costs_nothing(hive: Hive<Doer>) {
    let bees = ready_bees(&hive, 2).await;
    let pids: BTreeSet<u32> = bees.iter().filter_map(|bee| bee.pid).collect();
    pids.iter().copied().for_each(kill);
    // When others are there, it is known that they are gone.
    until(|| children().iter().filter(|pid| !pids.contains(pid)).count() == 2).await;
    for _ in 0..10 {
        works(&hive).await;
    }
}

/// A task may be given to a bee whose death is not known yet, which counts: to each of three once.
#[test_with(either_way, || hive(3).crash_limit(4))]
async fn all_bees_killed_at_once(hive: Hive<Doer>) {
    let folder = Folder::temp();
    let killer = async {
        begun(&folder, 30).await;
        // Perhaps some did not need the third.
        until(|| children().len() == 3).await;
        children().into_iter().for_each(kill);
        // Who may have killed a bee is not begun again with all the others.
        until(|| folder.noted("begun").len() > 30).await;
        folder.first("go");
    };
    let all = (0..30).map(|_| hive.wait_to_go(folder.clone()).with_bee());
    let (all, ()) = tokio::join!(join_all(all), killer);
    for (result, child) in all {
        assert!(matches!(result, Ok(2..)), "{result:?}");
        assert!(child.is_some_and(|child| child >= 3), "by new bees");
    }
}

/// With one task at once a bee's death is nobody else's.
///
/// Case H10: Tasks that kill every bee lose no other task.
#[test_with(either_way, || hive(2).max_concurrency(1))]
async fn rule_06_one_that_kills_every_bee_loses_nobody_else(hive: Hive<Doer>) {
    let poison = join_all((0..5).map(|_| hive.act(Deed::Segfault)));
    let good = try_join_all((0..100).map(|n| hive.add(n, n)));
    let (poison, good) = tokio::join!(poison, good);
    assert!(poison.into_iter().all(|result| lost(result).1 == 3));
    assert_eq!(good, Ok((0..100).map(|n| 2 * n).collect()));
}

/// The bee lives, but nobody can hear it.
#[test_with(either_way, || hive(1).crash_limit(1))]
async fn a_bee_that_closes_everything_is_a_dead_one(hive: Hive<Doer>) {
    lost(hive.act(Deed::CloseAll).await);
    works(&hive).await;
}

#[test_with(either_way, || hive(1).crash_limit(1))]
async fn a_bee_that_writes_rubbish_where_her_results_go_is_killed(hive: Hive<Doer>) {
    let rubbish = [
        vec![0xff; 64],
        vec![0; 64],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    for bytes in rubbish {
        let (death, _) = lost(hive.act(Deed::Garble(bytes)).await);
        let is_broken = matches!(death.cause, DeathCause::BrokeProtocol(_));
        assert!(is_broken, "{death}");
        works(&hive).await;
    }
}
