//! How many bees there are: the budget of restarts, the elastic rule, and bees by hand.

use std::time::Duration;

use mt_pool::RestartBudget;

use super::{BOTH, Sim, config, hive};
use crate::machine::{
    parent::{ChildId, Config, Dispatch, Event, Population},
    tests::process::Nature,
};

const BARREN: Nature = Nature {
    places: Some(1),
    promised: None,
    barren: true,
    by_hand: false,
    is_parent: false,
};

/// Lets time pass, as the parent wants it, until it wants nothing or `until` holds.
fn wait(sim: &mut Sim, until: impl Fn(&Sim) -> bool) {
    sim.settle();
    for _ in 0..100 {
        if until(sim) {
            return;
        }
        let Some(due) = sim.parent.poll_timeout() else {
            return;
        };
        sim.pass(due - sim.now);
        sim.settle();
    }
    panic!("it tries again and again");
}

#[test]
fn when_the_budget_is_spent_every_delegate_says_why() {
    for dispatch in BOTH {
        let mut sim = Sim::new(config(dispatch, 2), BARREN);
        let tasks = [sim.delegate(), sim.delegate()];
        wait(&mut sim, |sim| sim.ended(tasks[0]).is_some());
        for task in tasks {
            let end = sim.end_of(task).unwrap();
            let reason = "no worker bee could be had: she can't be made";
            assert_eq!((end.reason.as_str(), end.child), (reason, None));
        }
        let late = sim.delegate();
        assert_eq!(sim.ended(late), Some("no worker bee"), "so does the next");
    }
}

#[test]
fn a_bee_that_can_be_made_in_the_end_does_what_waits() {
    for dispatch in BOTH {
        let mut sim = Sim::new(config(dispatch, 1), BARREN);
        let task = sim.delegate();
        for _ in 0..3 {
            sim.settle();
            assert_eq!((sim.children().len(), sim.ended(task)), (0, None));
            let due = sim.parent.poll_timeout().expect("another try");
            sim.nature.barren = sim.parent.census()[0] == 1 && sim.oracle.in_vain() < 3;
            sim.pass(due - sim.now);
        }
        sim.settle();
        assert_eq!(sim.doer(task), Some(ChildId(3)), "the budget is 3");
    }
}

#[test]
fn a_quiet_period_makes_up_for_deaths() {
    let mut sim = Sim::new(config(Dispatch::Auction, 1), BARREN);
    let task = sim.delegate();
    wait(&mut sim, |sim| sim.ended(task).is_some());
    sim.nature.barren = false;
    let due = sim.parent.poll_timeout().expect("another try");
    assert!(
        due > sim.now + Duration::from_secs(9),
        "when it is quiet for so long"
    );
    sim.pass(due - sim.now);
    sim.settle();
    let task = sim.delegate();
    sim.settle();
    assert_eq!(sim.doer(task), Some(ChildId(4)));
}

#[test]
fn tasks_that_kill_bees_do_not_spend_the_budget() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        for bee in 0..30 {
            sim.delegate();
            sim.settle();
            sim.lose(ChildId(bee));
        }
        assert_eq!(sim.oracle.seen["worker_lost"], 10, "three bees each");
    }
}

#[test]
fn deaths_that_are_wanted_do_not_spend_the_budget() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        for _ in 0..10 {
            // One that is ready and one that is being made, neither of which has done anything.
            sim.tell(Event::Bury(None));
            sim.tell(Event::SpawnBee);
            sim.settle();
            sim.tell(Event::SpawnBee);
            let last = *sim.children().last().unwrap();
            sim.tell(Event::Bury(Some(last)));
            sim.lose(last);
        }
        assert_eq!(sim.oracle.in_vain(), 0);
        let task = sim.delegate();
        sim.settle();
        assert!(sim.doer(task).is_some(), "{dispatch:?}");
    }
}

/// A bee that works shows that bees can be had: those that died before it are forgotten.
#[test]
fn whoever_does_something_makes_up_for_deaths() {
    for dispatch in BOTH {
        let mut sim = Sim::new(config(dispatch, 1), BARREN);
        let start = sim.now;
        sim.tell(Event::Tick);
        for _ in 0..10 {
            sim.nature.barren = true;
            sim.settle();
            sim.nature.barren = false;
            wait(&mut sim, |sim| !sim.children().is_empty());
            let task = sim.delegate();
            sim.settle();
            sim.end(task);
            sim.settle();
            assert_eq!(sim.ended(task), Some("succeeded"));
            sim.nature.barren = true;
            let child = sim.children()[0];
            sim.lose(child);
        }
        let period = Duration::from_secs(10);
        assert!(sim.now - start < period, "no quiet period was waited for");
    }
}

#[test]
fn without_a_budget_no_bee_that_died_for_nothing_is_replaced() {
    let none = Config {
        restarts: RestartBudget {
            limit: 0,
            period: Duration::from_secs(10),
        },
        ..config(Dispatch::Auction, 2)
    };
    let mut sim = Sim::ready(none, Nature::of(1));
    sim.lose(ChildId(0));
    assert_eq!(sim.children(), [ChildId(1)]);
    let task = sim.delegate();
    sim.settle();
    assert_eq!(sim.doer(task), Some(ChildId(1)), "one is left");
}

#[test]
fn bees_come_and_go_by_hand() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 1);
        sim.tell(Event::SpawnBee);
        sim.settle();
        assert_eq!(sim.children(), [0, 1, 2].map(ChildId));
        sim.tell(Event::Bury(Some(ChildId(1))));
        sim.settle();
        assert_eq!(
            sim.children(),
            [0, 2].map(ChildId),
            "this one, not replaced"
        );
        sim.tell(Event::Bury(Some(ChildId(1))));
        sim.tell(Event::Bury(Some(ChildId(77))));
        sim.settle();
        assert_eq!(sim.children(), [0, 2].map(ChildId), "there is no such");
        let task = sim.delegate();
        sim.settle();
        let busy = sim.doer(task).unwrap();
        sim.tell(Event::Bury(None));
        sim.settle();
        assert_eq!(sim.children(), [busy], "the one with the least to do went");
    }
}

/// She may be told to bury the last, and may then spawn another.
#[test]
fn without_bees_tasks_wait_for_one_to_be_spawned() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        sim.tell(Event::Bury(None));
        sim.settle();
        let task = sim.delegate();
        sim.pass(Duration::from_secs(3600));
        assert_eq!((sim.ended(task), sim.children().len()), (None, 0));
        sim.tell(Event::SpawnBee);
        sim.settle();
        assert_eq!(sim.doer(task), Some(ChildId(1)), "{dispatch:?}");
    }
}

/// Nobody can spawn another then, and waiting for ever is no end.
#[test]
fn a_hive_that_has_buried_its_last_bee_dies_all_the_same() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        sim.tell(Event::Bury(None));
        sim.settle();
        let task = sim.delegate();
        sim.tell(Event::Die);
        assert_eq!(sim.ended(task), Some("no worker bee"));
        assert!(sim.finished, "{dispatch:?}");
    }
}

fn elastic(dispatch: Dispatch) -> Sim {
    let population = Population::Elastic {
        min: 1,
        max: 3,
        period: Duration::from_secs(1),
    };
    let elastic = Config {
        population,
        ..config(dispatch, 0)
    };
    Sim::ready(elastic, Nature::of(1))
}

#[test]
fn an_elastic_hive_grows_while_there_is_more_to_do() {
    for dispatch in BOTH {
        let mut sim = elastic(dispatch);
        let full = |sim: &mut Sim| {
            sim.tell(Event::Pressed(false));
            sim.settle();
            sim.children().len()
        };
        assert_eq!(full(&mut sim), 1, "nothing to do");
        for _ in 0..5 {
            sim.delegate();
        }
        sim.settle();
        let sizes = [0; 3].map(|_| full(&mut sim));
        assert_eq!(sizes, [2, 3, 3], "one a period, to the most");
    }
}

#[test]
fn an_elastic_hive_shrinks_when_the_machine_is_full() {
    for dispatch in BOTH {
        let mut sim = elastic(dispatch);
        let tasks: Vec<_> = (0..3).map(|_| sim.delegate()).collect();
        for _ in 0..2 {
            sim.tell(Event::Pressed(false));
            sim.settle();
        }
        assert_eq!(sim.children().len(), 3);
        sim.end(tasks[2]);
        sim.settle();
        sim.tell(Event::Pressed(true));
        sim.settle();
        assert_eq!(sim.children().len(), 2, "the one with nothing to do");
        sim.tell(Event::Pressed(true));
        sim.tell(Event::Pressed(true));
        sim.settle();
        assert_eq!(sim.children().len(), 2, "the others have to finish");
        for &task in &tasks[..2] {
            sim.end(task);
            sim.settle();
        }
        assert_eq!(sim.children().len(), 1, "to the fewest");
    }
}
