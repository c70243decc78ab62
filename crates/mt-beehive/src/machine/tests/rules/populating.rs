//! How many bees there are: the budget of restarts, the elastic rule, and bees by hand.

use std::time::Duration;

use super::{Nature, Sim, config, either_way, test_with, with};
use crate::{
    error::CancelReason,
    machine::{
        parent::{Dispatch, Event, Population},
        tests::sim::unmade,
    },
};

const HOUR: Duration = Duration::from_secs(3600);

/// A hive of so many bees, none of which can be made.
fn barren(dispatch: Dispatch, bees: usize) -> Sim {
    let mut sim = Sim::new(config(dispatch, bees), Nature::of(1));
    sim.nature.barren = true;
    sim
}

/// Tells a story of such a hive with the auction and with credit.
fn with_barren(bees: usize, story: impl Fn(Sim)) {
    with(|dispatch| barren(dispatch, bees), story);
}

/// Lets time pass, as the parent wants it, until it wants nothing or `until` holds.
fn wait(sim: &mut Sim, until: impl Fn(&Sim) -> bool) {
    sim.settle();
    for _ in 0..100 {
        if until(sim) {
            return;
        }
        let Some(pause) = sim.due_in() else {
            return;
        };
        sim.pass(pause);
        sim.settle();
    }
    panic!("it tries again and again");
}

#[test_with(with_barren, 2)]
fn when_the_budget_is_spent_every_delegate_says_why(mut sim: Sim) {
    let tasks = sim.delegate_all::<2>();
    wait(&mut sim, |sim| sim.ended(tasks[0]).is_some());
    for task in tasks {
        sim.assert_cancelled(task, CancelReason::NoWorkers(unmade()), None);
    }
    let late = sim.delegate();
    assert_eq!(sim.ended(late), Some("no workers"), "so does the next");
}

#[test_with(with_barren, 1)]
fn a_bee_that_can_be_made_in_the_end_does_what_waits(mut sim: Sim) {
    let task = sim.delegate();
    for _ in 0..3 {
        sim.settle();
        assert_eq!((sim.bees().len(), sim.ended(task)), (0, None));
        let pause = sim.due_in().expect("another try");
        sim.nature.barren = sim.parent.census()[0] == 1 && sim.oracle.in_vain < 3;
        sim.pass(pause);
    }
    sim.settle();
    assert_eq!(sim.doer(task), Some(3), "the budget is 3");
}

#[test]
fn a_quiet_period_makes_up_for_deaths() {
    let mut sim = barren(Dispatch::Auction, 1);
    let task = sim.delegate();
    wait(&mut sim, |sim| sim.ended(task).is_some());
    sim.nature.barren = false;
    let pause = sim.due_in().expect("another try");
    assert!(pause > Duration::from_secs(9), "so long it is to be quiet");
    sim.pass(pause);
    sim.settle();
    let [task] = sim.begin();
    assert_eq!(sim.doer(task), Some(4));
}

#[test_with(either_way, 1, 1)]
fn tasks_that_kill_bees_do_not_spend_the_budget(mut sim: Sim) {
    for bee in 0..30 {
        sim.begin::<1>();
        sim.lose(bee);
    }
    assert_eq!(sim.oracle.seen["worker lost"], 10, "three bees each");
}

#[test_with(either_way, 1, 1)]
fn deaths_that_are_wanted_do_not_spend_the_budget(mut sim: Sim) {
    for _ in 0..10 {
        // One that is ready and one that is being made, neither of which has done anything.
        sim.bury(None);
        sim.spawn();
        sim.settle();
        sim.spawn();
        let last = *sim.bees().last().unwrap();
        sim.bury(last);
        sim.lose(last);
    }
    assert_eq!(sim.oracle.in_vain, 0);
    let [task] = sim.begin();
    assert!(sim.doer(task).is_some());
}

/// A bee that works shows that bees can be had: those that died before it are forgotten.
#[test_with(with_barren, 1)]
fn whoever_does_something_makes_up_for_deaths(mut sim: Sim) {
    let start = sim.now;
    sim.tell(Event::Tick);
    for _ in 0..10 {
        sim.nature.barren = true;
        sim.settle();
        sim.nature.barren = false;
        wait(&mut sim, |sim| !sim.bees().is_empty());
        let [task] = sim.begin();
        sim.finish(task);
        sim.assert_succeeded(&[task]);
        sim.nature.barren = true;
        sim.lose(sim.bees()[0]);
    }
    let period = Duration::from_secs(10);
    assert!(sim.now - start < period, "no quiet period was waited for");
}

#[test]
fn without_a_budget_no_bee_that_died_for_nothing_is_replaced() {
    let mut none = config(Dispatch::Auction, 2);
    none.restarts.limit = 0;
    let mut sim = Sim::ready(none, Nature::of(1));
    sim.lose(0);
    assert_eq!(sim.bees(), [1]);
    let [task] = sim.begin();
    assert_eq!(sim.doer(task), Some(1), "one is left");
}

#[test_with(either_way, 2, 1)]
fn bees_come_and_go_by_hand(mut sim: Sim) {
    sim.spawn();
    sim.settle();
    assert_eq!(sim.bees(), [0, 1, 2]);
    sim.bury(1);
    sim.settle();
    assert_eq!(sim.bees(), [0, 2], "not replaced");
    sim.bury(1);
    sim.bury(77);
    sim.settle();
    assert_eq!(sim.bees(), [0, 2], "there is no such");
    let [task] = sim.begin();
    let busy = sim.doer(task).unwrap();
    sim.bury(None);
    sim.settle();
    assert_eq!(sim.bees(), [busy], "the one with the least to do went");
}

/// The queen may bury the last, and may then spawn another.
#[test_with(either_way, 1, 1)]
fn without_bees_tasks_wait_for_one_to_be_spawned(mut sim: Sim) {
    sim.bury(None);
    sim.settle();
    let task = sim.delegate();
    sim.pass(HOUR);
    assert_eq!((sim.ended(task), sim.bees().len()), (None, 0));
    sim.spawn();
    sim.settle();
    assert_eq!(sim.doer(task), Some(1));
}

/// Nobody can spawn another then, and waiting for ever is no end.
#[test_with(either_way, 1, 1)]
fn a_hive_that_has_buried_its_last_bee_dies_all_the_same(mut sim: Sim) {
    sim.bury(None);
    sim.settle();
    let task = sim.delegate();
    sim.tell(Event::Die);
    assert_eq!(sim.ended(task), Some("no workers"));
    assert!(sim.finished);
}

/// From one bee to three.
fn elastic(dispatch: Dispatch) -> Sim {
    let population = Population::Elastic {
        min: 1,
        max: 3,
        period: Duration::from_secs(1),
    };
    let mut elastic = config(dispatch, 0);
    elastic.population = population;
    Sim::ready(elastic, Nature::of(1))
}

/// The number of bees after a period.
fn after_a_period(sim: &mut Sim, is_full: bool) -> usize {
    sim.tell(Event::Pressed(is_full));
    sim.settle();
    sim.bees().len()
}

#[test_with(with, elastic)]
fn an_elastic_hive_grows_while_there_is_more_to_do(mut sim: Sim) {
    assert_eq!(after_a_period(&mut sim, false), 1, "nothing to do");
    sim.begin::<5>();
    let sizes = [(); 3].map(|()| after_a_period(&mut sim, false));
    assert_eq!(sizes, [2, 3, 3], "one a period, to the most");
}

#[test_with(with, elastic)]
fn an_elastic_hive_shrinks_when_the_machine_is_full(mut sim: Sim) {
    let tasks = sim.begin::<3>();
    let sizes = [(); 2].map(|()| after_a_period(&mut sim, false));
    assert_eq!(sizes, [2, 3]);
    sim.finish(tasks[2]);
    assert_eq!(after_a_period(&mut sim, true), 2, "who had nothing to do");
    sim.tell(Event::Pressed(true));
    assert_eq!(after_a_period(&mut sim, true), 2, "others have to finish");
    for &task in &tasks[..2] {
        sim.finish(task);
    }
    assert_eq!(sim.bees().len(), 1, "to the fewest");
}

/// Nobody else could begin what waits.
///
/// Case 33: A hive that may grow starts a bee for what waits behind a blocked one.
#[test]
fn an_elastic_hive_grows_while_its_bees_are_behind() {
    let roomy = |dispatch| {
        let mut config = config(dispatch, 0);
        let period = Duration::from_secs(1);
        let (min, max) = (1, 3);
        config.population = Population::Elastic { min, max, period };
        Sim::ready(config, Nature::of(64))
    };
    with(roomy, |mut sim| {
        sim.process(0).hold(true);
        sim.begin::<5>();
        assert_eq!(after_a_period(&mut sim, false), 1, "there is room");
        sim.fall_behind(0);
        assert_eq!(after_a_period(&mut sim, false), 2);
        assert_eq!(sim.shares(), [1, 4]);
    });
}
