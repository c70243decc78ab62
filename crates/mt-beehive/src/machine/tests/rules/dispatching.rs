//! Rule 15: the auction as in the seed, or places counted by the parent: fewer messages, the same promises.

use mt_proto::{FromBee, ToBee};

use super::{BOTH, hive};
use crate::machine::parent::Dispatch;

const BEES: usize = 5;

#[test]
fn rule_15_an_auction_asks_all() {
    let mut sim = hive(Dispatch::Auction, BEES, 1);
    sim.forget();
    let task = sim.delegate();
    sim.settle();
    sim.end(task);
    sim.settle();
    let offers = sim
        .told
        .iter()
        .filter(|said| matches!(said.1, ToBee::NewTask { .. }));
    assert_eq!(offers.count(), BEES);
    assert_eq!(sim.told.len(), 2 * BEES, "each accept is answered");
    assert_eq!(
        sim.heard.len(),
        BEES + 1,
        "each answers, and one has done it"
    );
}

#[test]
fn rule_15_credit_takes_two_messages_a_task() {
    let mut sim = hive(Dispatch::Credit, BEES, 3);
    sim.forget();
    let tasks: Vec<_> = (0..100).map(|_| sim.delegate()).collect();
    sim.settle();
    for &task in &tasks {
        sim.end(task);
        sim.settle();
    }
    assert!(
        sim.told
            .iter()
            .all(|said| matches!(said.1, ToBee::TaskInfo(_)))
    );
    assert!(
        sim.heard
            .iter()
            .all(|said| matches!(said.1, FromBee::TaskDone { .. }))
    );
    assert_eq!((sim.told.len(), sim.heard.len()), (100, 100));
}

#[test]
fn rule_15_the_load_is_shared_either_way() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, BEES, 100);
        for _ in 0..100 {
            sim.delegate();
            sim.settle();
        }
        let shares = sim.processes.values().map(|process| process.running.len());
        let shares: Vec<_> = shares.collect();
        assert_eq!(shares, [20; BEES], "{dispatch:?}");
    }
}

/// Everything at once: no bee is given more than she has places for, and all of it is done.
#[test]
fn rule_15_more_than_there_are_places_for_either_way() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, BEES, 3);
        let tasks: Vec<_> = (0..100).map(|_| sim.delegate()).collect();
        for &task in &tasks {
            sim.settle();
            let running = sim.processes.values().map(|process| process.running.len());
            assert!(running.sum::<usize>() <= 3 * BEES);
            while sim.ended(task).is_none() {
                let any = tasks.iter().copied().find(|&task| sim.doer(task).is_some());
                sim.end(any.expect("somebody does something"));
                sim.settle();
            }
        }
    }
}
