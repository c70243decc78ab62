//! Bees that can't be made, or die before they are.

use std::{path::Path, time::Duration};

use mt_beehive::{BeehiveRun, Population, RestartBudget, TaskResult, hive_of};

use crate::{
    bees::{Birth, Deed, Doer, DoerTasks, noted},
    scene::{block_on, check, reason, reign},
};

const BUDGET: RestartBudget = RestartBudget {
    limit: 3,
    period: Duration::from_secs(3600),
};

fn born(birth: Birth) -> BeehiveRun<Doer> {
    let run = hive_of::<Doer>(birth).population(Population::Fixed(1));
    run.restart_budget(BUDGET)
}

fn with_log(test: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    test(&folder.path().join("births"));
}

#[test]
fn when_the_budget_is_spent_every_delegate_says_why() {
    check(|| {
        for dispatch in [mt_beehive::Dispatch::Auction, mt_beehive::Dispatch::Credit] {
            with_log(|log| {
                let birth = Birth::FailsAtFirst(log.to_owned(), usize::MAX);
                let run = born(birth).dispatch(dispatch).run(async |hive| {
                    let all = (0..10).map(|_| hive.add(1, 2));
                    for (result, child) in futures::future::join_all(all).await {
                        let reason = reason(result);
                        assert!(reason.contains("it is too early"), "{reason}");
                        assert_eq!(child, None);
                    }
                });
                block_on(run).unwrap();
                assert_eq!(noted(log), 4, "the first and three more");
            });
        }
    });
}

#[test]
fn a_bee_that_can_be_made_in_the_end_is() {
    check(|| {
        with_log(|log| {
            let birth = Birth::FailsAtFirst(log.to_owned(), 3);
            let run = born(birth).run(async |hive| hive.add(1, 2).await);
            let done = block_on(run).unwrap();
            assert_eq!(done, (TaskResult::Succeeded(3), Some(3)));
        });
    });
}

#[test]
fn whatever_ends_a_bee_while_she_is_made_is_the_reason() {
    check(|| {
        for (deed, expected) in [
            (Deed::Signal(9), "signal 9"),
            (Deed::Segfault, "signal 11"),
            (Deed::Exit(7), "code 7"),
            (
                Deed::Panic("she does not want to".into()),
                "she does not want to",
            ),
        ] {
            with_log(|log| {
                let birth = Birth::Does(log.to_owned(), deed.clone());
                let run = born(birth).run(async |hive| hive.add(1, 2).await.0);
                let reason = reason(block_on(run).unwrap());
                assert!(
                    reason.starts_with("no worker bee could be had: "),
                    "{reason}"
                );
                assert!(reason.contains(expected), "{reason}");
                assert_eq!(noted(log), 4, "within the budget");
            });
        }
    });
}

/// What is delegated to bees that are never made has its deadline all the same.
#[test]
fn rule_02_a_bee_that_is_made_for_ever_holds_up_no_deadline() {
    check(|| {
        with_log(|log| {
            let birth = Birth::Does(log.to_owned(), Deed::Block);
            reign(
                || born(birth.clone()),
                |hive| async move {
                    let limit = Duration::from_millis(50);
                    let (result, child) = hive.add(1, 2).deadline(limit).await;
                    assert!(reason(result).starts_with("deadline"));
                    assert_eq!(child, None);
                },
            );
        });
    });
}
