//! Bees that dump core when they die, which takes time.

use std::time::Duration;

use mt_beehive::{
    Hive, RunningHive, hive_of,
    stats::{BeeState, BeeStatus},
    supervision::{DeathCause, LivenessPolicy, Verdict},
};
use mt_test_kit::{core_dumps, dumps_whole_core, wait_until, watchdog};

use crate::{
    doer::{Birth, Deed, Doer, DoerTasks},
    scene::{
        Folder, Live as _, Scene, bees_that, beside, block_on, children, lost, quick, role, watched,
    },
};

/// Enough for its dump to take longer than the limits of these tests, and not for it to fill a disk.
const HELD: usize = 1 << 30;

/// Where a hive starts whose bee may dump core, in a folder of its own. For the test runner this is nothing.
#[test]
fn as_host() {
    let role = role();
    if role.is_empty() {
        return;
    }
    let _watchdog = watchdog("a hive");
    let folder = Folder::temp();
    let birth = Birth::Does(folder.clone(), Deed::Hold(HELD));
    let hive = hive_of::<Doer>(birth).processes(1);
    let hive = match &role[..] {
        "is watched" => hive.workers(watched(LivenessPolicy {
            frozen: Verdict::Kill,
            ..quick()
        })),
        "is dropped" => return block_on(is_dropped(hive.start().unwrap())),
        _ => hive,
    };
    block_on(hive.live(async |hive| match &role[..] {
        "is watched" => {
            let first = hive.note_and_act(folder.clone(), Deed::AbortFirst(folder.clone()));
            let (neighbour, first) = tokio::join!(hive.add(1, 2), first.with_bee());
            assert_eq!((neighbour, first), (Ok(3), (Ok(()), Some(1))));
            assert_eq!(folder.noted("begun").len(), 2);
        }
        "has a deadline" => {
            assert_eq!(hive.add(1, 2).await, Ok(3), "she is made");
            let late = hive.act(Deed::Abort).deadline(Duration::from_millis(100));
            let (death, attempts) = lost(late.await);
            let how = (&death.cause, death.exit.signal, death.exit.core_dumped);
            assert_eq!(how, (&DeathCause::Itself, Some(6), true), "{death}");
            assert_eq!(attempts, 1);
            assert_eq!(hive.add(1, 2).await, Ok(3));
        }
        other => panic!("no role is called {other}"),
    }));
}

/// While its bee is waited for, whose task has had its time.
async fn is_dropped(hive: RunningHive<Hive<Doer>>) {
    assert_eq!(hive.add(1, 2).await, Ok(3), "she is made");
    let late = hive.act(Deed::Abort).deadline(Duration::from_millis(50));
    let dropped = async {
        let is_killed = |bees: &[BeeStatus]| bees.iter().all(|bee| bee.state == BeeState::Killed);
        bees_that(&hive, is_killed).await;
    };
    beside(late, dropped).await;
    drop(hive);
    // Inside a task the drop itself waits for nothing.
    wait_until(|| children().is_empty());
}

fn dies_by_herself(role: &str) {
    dumps_whole_core(&Scene::of("cores::as_host", role), HELD);
}

/// Case 9: A bee that dumps core is waited for, although she gives no sign of life; her core is whole, and what she had is
/// begun again.
#[test]
fn a_bee_that_dumps_core_is_not_frozen() {
    dies_by_herself("is watched");
}

/// Case 9: A task whose bee dumps core when its deadline passes is lost by that death, and is told its name.
#[test]
fn a_bee_that_dumps_core_has_not_overrun() {
    dies_by_herself("has a deadline");
}

/// Case 9: A hive that is dropped waits for no core dump, whatever the bee was waited for before.
#[test]
fn a_hive_that_is_dropped_waits_for_no_core() {
    if let Some(dumps) = core_dumps(&Scene::of("cores::as_host", "is dropped")) {
        assert!(dumps.iter().all(|&dump| dump < HELD as u64), "{dumps:?}");
    }
}
