//! Bees that can't be made, or die before they are.

use std::time::Duration;

use futures::future::join_all;
use mt_beehive::{
    BeehiveRun, CancelReason, Dispatch,
    error::NoWorkers,
    hive_of,
    limits::WorkerOptions,
    supervision::{LivenessPolicy, RestartBudget},
};

use crate::{
    doer::{Birth, Deed, Doer, DoerTasks},
    scene::{Folder, LONG, Live as _, assert_late, block_on, check, either_way, reason, test_with},
};

fn born(birth: Birth) -> BeehiveRun<Doer> {
    let (limit, period) = (3, LONG);
    let workers = WorkerOptions::new().restart_budget(RestartBudget { limit, period });
    hive_of::<Doer>(birth).processes(1).workers(workers)
}

/// Why there was no bee, that was born so, to do something.
fn no_workers(birth: Birth, dispatch: Dispatch) -> NoWorkers {
    block_on(born(birth).dispatch(dispatch).live(async |hive| {
        let all = (0..10).map(|_| hive.add(1, 2).with_bee());
        let whys = join_all(all).await.into_iter().map(|(result, child)| {
            assert_eq!(child, None);
            match reason(result) {
                CancelReason::NoWorkers(why) => why,
                other => panic!("{other}"),
            }
        });
        let mut whys: Vec<NoWorkers> = whys.collect();
        assert_eq!(hive.spawn().await, None, "she could not be made either");
        whys.dedup();
        assert_eq!(whys.len(), 1, "they are told the same: {whys:?}");
        whys.remove(0)
    }))
}

/// Case H15: When bees can't be made, every delegate says why once the restart budget is spent.
#[test_with(check)]
fn when_the_budget_is_spent_every_delegate_says_why() {
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let folder = Folder::temp();
        let birth = Birth::FailsAtFirst(folder.clone(), usize::MAX);
        let message = "it is too early".into();
        assert_eq!(no_workers(birth, dispatch), NoWorkers::NotMade { message });
        assert_eq!(folder.noted("births").len(), 4, "one and three more");
    }
}

/// Case H16: A bee that can be made in the end is.
#[test_with(check)]
fn a_bee_that_can_be_made_in_the_end_is() {
    let folder = Folder::temp();
    let hive = born(Birth::FailsAtFirst(folder.clone(), 3));
    let done = block_on(hive.live(async |hive| hive.add(1, 2).with_bee().await));
    assert_eq!(done, (Ok(3), Some(3)));
}

#[test_with(check)]
fn whatever_ends_a_bee_while_she_is_made_is_the_reason() {
    let all = [
        (Deed::Signal(9), "signal 9"),
        (Deed::Segfault, "signal 11"),
        (Deed::Exit(7), "code 7"),
        (Deed::Panic("there is no room".into()), "there is no room"),
    ];
    for (deed, expected) in all {
        let folder = Folder::temp();
        let panics = matches!(deed, Deed::Panic(_));
        let why = no_workers(Birth::Does(folder.clone(), deed), Dispatch::Auction);
        assert!(why.to_string().contains(expected), "{why}");
        let is_death = matches!(why, NoWorkers::Died { .. });
        assert_ne!(is_death, panics, "{why:?}");
        assert_eq!(folder.noted("births").len(), 4, "within the budget");
    }
}

/// What is delegated to bees that are never made has its deadline all the same.
#[test]
fn rule_02_a_bee_that_is_made_for_ever_holds_up_no_deadline() {
    let folder = Folder::temp();
    let birth = Birth::Does(folder.clone(), Deed::Block);
    let born = || born(birth.clone());
    either_way(born, async |hive| {
        let task = hive.add(1, 2).deadline(Duration::from_millis(50));
        let (result, child) = task.with_bee().await;
        assert_late(result);
        assert_eq!(child, None);
    });
}

/// Case 21: Bees have the stack that `main` has, or the one they are given.
#[test_with(check)]
fn bees_have_the_stack_that_main_has_or_the_one_they_are_given() {
    for (workers, mib) in [
        (WorkerOptions::new(), 7),
        (WorkerOptions::new().stack_bytes(100 << 20), 99),
    ] {
        let hive = hive_of::<Doer>(Birth::Well).processes(1).workers(workers);
        let dived = block_on(hive.live(async |hive| hive.dive(mib).await));
        assert_eq!(dived, Ok(mib));
    }
}

/// Case 22: All bees of a hive start in the folder where it was started, whatever the host does meanwhile.
#[test_with(check)]
fn bees_start_where_the_hive_was_started() {
    let (home, start) = (std::env::current_dir().unwrap(), Folder::temp());
    std::env::set_current_dir(start.path()).unwrap();
    let start = std::env::current_dir().unwrap();
    let hive = hive_of::<Doer>(Birth::Well).processes(1);
    block_on(hive.live(async |hive| {
        std::env::set_current_dir(&home).unwrap();
        for _ in 0..3 {
            assert_eq!(hive.folder().await.as_ref(), Ok(&start));
            hive.spawn();
            hive.bury(None);
        }
    }));
}

/// A bee has the slot of the one she replaces, and what her environment says of that.
#[test_with(check)]
fn bees_are_told_their_slot_and_have_that_of_the_dead() {
    let workers = WorkerOptions::new().env_by_slot("MT_TEST_DEVICE", |slot| slot.to_string());
    let hive = hive_of::<Doer>(Birth::Well).processes(1).workers(workers);
    block_on(hive.live(async |hive| {
        for _ in 0..3 {
            for variable in ["MT_WORKER_SLOT", "MT_TEST_DEVICE"] {
                let told = hive.slot(variable.to_owned()).await;
                assert_eq!(told, Ok((Some(0), Some("0".to_owned()))));
            }
            hive.act(Deed::Abort).await.unwrap_err();
        }
    }));
    assert_eq!(mt_beehive::worker_slot(), None);
}

/// Case 30: A bee whose arguments take longer to come than she has to beat is made.
#[test_with(check)]
fn a_bee_whose_arguments_take_longer_than_beats_may() {
    let text = "x".repeat(300 << 20);
    let policy = LivenessPolicy {
        interval: Duration::from_millis(100),
        missed_beats: 3,
        ..LivenessPolicy::default()
    };
    let hive = hive_of::<Doer>(Birth::WellWith(text)).processes(1);
    let hive = hive.workers(WorkerOptions::new().liveness(policy));
    let done = block_on(hive.live(async |hive| hive.add(1, 2).with_bee().await));
    assert_eq!(done, (Ok(3), Some(0)), "the first bee");
}
