//! Hosts that become another user, and may then not signal the bees they have started before.

use std::time::Duration;

use mt_beehive::supervision::DeathCause;
use mt_test_kit::{NOBODY, become_user, is_root, wait_until_gone, watchdog};

use crate::{
    doer::{Deed, DoerTasks},
    scene::{
        Folder, Live as _, Scene, Signal, assert_late, begun, block_on, hive, lost, role, signal,
        state_of, wait_until,
    },
};

/// Long enough for a host to give its rights up meanwhile.
const LIMIT: Duration = Duration::from_secs(1);

/// Where a hive starts whose host gives its rights up. For the test runner this is nothing.
#[test]
fn as_host() {
    let role = role();
    if role.is_empty() {
        return;
    }
    let _watchdog = watchdog("a hive");
    if role == "is dropped" {
        let hive = hive(1).start().unwrap();
        println!("PIDS {}", block_on(hive.pid()).unwrap());
        assert!(become_user(NOBODY));
        return drop(hive);
    }
    block_on(hive(1).live(async |hive| {
        let pid = hive.pid().await.unwrap();
        match &role[..] {
            "overruns" => {
                println!("PIDS {pid}");
                assert!(become_user(NOBODY));
                let limit = Duration::from_millis(200);
                assert_late(hive.act(Deed::Block).deadline(limit).await);
            }
            "leaves a stopped one" => {
                let folder = Folder::temp();
                let late = hive.block_until(folder.clone()).deadline(LIMIT);
                let neighbour = hive.wait_to_go(folder.clone());
                let leaves = async {
                    begun(&folder, 2).await;
                    println!("STOP {pid}");
                    std::io::stdin().read_line(&mut String::new()).unwrap();
                    // Within a session everybody may let others go on, and who goes on ends with its connection.
                    rustix::process::setsid().unwrap();
                    assert!(become_user(NOBODY));
                };
                let (neighbour, late, ()) = tokio::join!(neighbour, late, leaves);
                assert_late(late);
                // The bee may still be at it.
                let (death, attempts) = lost(neighbour);
                assert_eq!((death.cause, attempts), (DeathCause::OutOfReach, 1));
            }
            other => panic!("no role is called {other}"),
        }
    }));
}

/// Nothing of it is left when it has ended.
fn ends_well(role: &str) {
    if is_root() {
        Scene::ends_well(&mut Scene::of("users::as_host", role));
    }
}

/// Case 14: A host that may not signal its bees any more ends those whose tasks overrun, by their connections.
#[test]
fn a_deadline_holds_without_the_right_to_signal() {
    ends_well("overruns");
}

/// Case 14: So does a hive that is dropped.
#[test]
fn a_dropped_hive_ends_its_bees_without_the_right_to_signal() {
    ends_well("is dropped");
}

/// Case 14: What a bee had begun that can't be ended at all is given up, is not begun again, and nobody waits.
#[test]
fn who_can_not_be_ended_is_told_of() {
    if !is_root() {
        return;
    }
    let mut host = Scene::of("users::as_host", "leaves a stopped one");
    let mut host = Scene::start(host.stdin(std::process::Stdio::piped()));
    let told = host.read_until("STOP");
    let bee = told.split_once("STOP ").unwrap().1.parse().unwrap();
    signal(bee, Signal::STOP);
    wait_until(|| state_of(bee) == Some('T'));
    host.close_stdin();
    let status = host.end();
    assert!(status.success(), "{status}");
    signal(bee, Signal::KILL);
    wait_until_gone(&[bee]);
}
