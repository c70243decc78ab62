//! Rule 13: how busy a bee is. Rule 12, as far as machines have to do with it: what waits for a bee is bounded.

use super::{Nature, Sim, config, either_way, hive, test_with, with};
use crate::machine::parent::{Config, Dispatch};

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

/// Neither her thread nor a place: who asks what a bee does would wait for it otherwise.
#[test_with(either_way, 1, 4)]
fn rule_13_a_question_needs_nothing_that_tasks_hold(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<3>();
    sim.fall_behind(0);
    let waits = sim.delegate();
    let question = sim.ask();
    sim.settle();
    sim.assert_succeeded(&[question]);
    sim.process(0).hold(false);
    sim.settle();
    assert_eq!(sim.shares(), [4], "full");
    let question = sim.ask();
    sim.settle();
    sim.assert_succeeded(&[question]);
    for task in tasks.into_iter().chain([waits]) {
        sim.finish(task);
    }
}

/// A question that dies with its bee is asked again, and its bee did not die of it.
#[test]
fn rule_13_a_question_is_not_charged_with_a_death() {
    let made = |dispatch| {
        let config = Config {
            crash_limit: 1,
            ..config(dispatch, 2)
        };
        Sim::ready(config, Nature::of(4))
    };
    with(made, |mut sim| {
        let question = sim.ask();
        sim.lose(0);
        sim.settle();
        sim.assert_succeeded(&[question]);
    });
}

/// With nobody there it waits, and can be cancelled.
#[test_with(either_way, 0, 4)]
fn rule_13_a_question_waits_for_a_bee(mut sim: Sim) {
    let [first, second] = [sim.ask(), sim.ask()];
    sim.cancel(first);
    sim.spawn();
    sim.settle();
    sim.assert_succeeded(&[second]);
    assert_eq!(sim.ended(first), Some("dropped"));
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
