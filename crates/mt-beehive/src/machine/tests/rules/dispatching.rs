//! Rule 15: the auction as in the seed, or places counted by the parent: fewer messages, the same promises.

use mt_proto::{FromBee, ToBee};

use super::{Sim, either_way, hive, test_with};
use crate::machine::parent::Dispatch;

const BEES: usize = 5;

#[test]
fn rule_15_an_auction_asks_all() {
    let mut sim = hive(Dispatch::Auction, BEES, 1);
    sim.forget();
    let [task] = sim.begin();
    sim.finish(task);
    let is_offer = |said: &&(_, ToBee)| matches!(said.1, ToBee::NewTask { .. });
    assert_eq!(sim.told.iter().filter(is_offer).count(), BEES);
    assert_eq!(sim.told.len(), 2 * BEES, "each accept is answered");
    assert_eq!(sim.heard.len(), BEES + 1, "each answers, one has done it");
}

#[test]
fn rule_15_credit_takes_two_messages_a_task() {
    let mut sim = hive(Dispatch::Credit, BEES, 3);
    sim.forget();
    for task in sim.begin::<100>() {
        sim.finish(task);
    }
    let mut told = sim.told.iter();
    assert!(told.all(|said| matches!(said.1, ToBee::TaskInfo(_))));
    let mut heard = sim.heard.iter();
    assert!(heard.all(|said| matches!(said.1, FromBee::TaskDone { .. })));
    assert_eq!((sim.told.len(), sim.heard.len()), (100, 100));
}

/// Case R17: By auction and by counted places alike, the load is shared by all bees.
#[test_with(either_way, BEES, 100)]
fn rule_15_the_load_is_shared_either_way(mut sim: Sim) {
    for _ in 0..100 {
        sim.begin::<1>();
    }
    assert_eq!(sim.shares(), [20; BEES]);
}

/// Everything at once: no bee is given more than it has places for, and all of it is done.
#[test_with(either_way, BEES, 3)]
fn rule_15_more_than_there_are_places_for_either_way(mut sim: Sim) {
    let tasks = sim.delegate_all::<100>();
    for &task in &tasks {
        sim.settle();
        assert!(sim.shares().iter().sum::<usize>() <= 3 * BEES);
        while sim.ended(task).is_none() {
            let any = tasks.iter().copied().find(|&task| sim.doer(task).is_some());
            sim.finish(any.expect("somebody does something"));
        }
    }
}
