//! Rule 13: how busy a bee is. Rule 12, as far as machines have to do with it: what waits for a bee is bounded.

use super::{Nature, Sim, config, either_way, hive, test_with, with};
use crate::machine::parent::Dispatch;

#[test]
fn rule_13_busy_is_what_runs_and_what_is_reserved() {
    let mut sim = hive(Dispatch::Auction, 1, 4);
    let busy = |sim: &mut Sim| sim.process(0).machine().busy_status();
    assert_eq!(busy(&mut sim), 0.0, "free");
    let first = sim.delegate();
    sim.process(0).hear();
    assert_eq!(busy(&mut sim), 0.25, "reserved");
    sim.settle();
    assert_eq!(busy(&mut sim), 0.25, "it runs");
    sim.begin::<3>();
    assert_eq!(busy(&mut sim), 1.0, "full");
    sim.end(first);
    assert_eq!(busy(&mut sim), 0.75);
}

#[test]
fn rule_13_without_a_limit_nobody_is_busy() {
    let unlimited = |dispatch| Sim::ready(config(dispatch, 1), Nature::default());
    with(unlimited, |mut sim| {
        sim.begin::<2000>();
        assert_eq!(sim.shares(), [2000]);
        assert_eq!(sim.process(0).machine().busy_status(), 0.0);
    });
}

/// The link itself checks the bound, at every message: see `Process::receive`.
#[test_with(either_way, 1, 4)]
fn rule_12_a_bee_that_does_not_read_is_told_no_more_than_she_has_places_for(mut sim: Sim) {
    for task in sim.delegate_all::<100>() {
        sim.cancel(task);
    }
    sim.bury(None);
    assert!(sim.process(0).to.len() <= 9);
}
