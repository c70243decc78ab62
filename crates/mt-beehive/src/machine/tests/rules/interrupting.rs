//! Ctrl-C: what runs goes on to its end, the rest is cancelled and says why. None of the fifteen rules.

use mt_proto::TaskId;

use super::{Nature, Sim, accept, config, either_way, puppets, with};
use crate::{
    error::CancelReason,
    machine::{
        parent::{ChildId, Event, HiveStats},
        tests::sim::death,
    },
};

/// A task that was begun so often; its bee has died just now, or not.
fn check(sim: &Sim, task: TaskId, begun: u32, has_died: bool) {
    let death = has_died.then(death);
    let why = CancelReason::Interrupted { begun, death };
    assert_eq!(sim.end_of(task).unwrap().reason, Some(why));
}

#[test]
fn what_runs_goes_on_and_the_rest_is_cancelled() {
    either_way(1, 2, |mut sim| {
        let tasks = sim.begin::<5>();
        sim.forget();
        sim.tell(Event::Interrupt);
        sim.tell(Event::Interrupt);
        let late = sim.delegate();
        for &task in tasks[2..].iter().chain([&late]) {
            check(&sim, task, 0, false);
        }
        sim.settle();
        assert_eq!(sim.told(0), [""; 0], "nobody is told");
        for task in &tasks[..2] {
            assert_eq!(sim.ended(*task), None);
            sim.end(*task);
        }
        sim.settle();
        sim.assert_succeeded(&tasks[..2]);
        sim.tell(Event::Die);
        sim.settle();
        assert!(sim.finished);
        let expected = HiveStats {
            delegated: 6,
            succeeded: 2,
            cancelled: 4,
            bees_started: 1,
            interrupted: true,
            ..HiveStats::default()
        };
        assert_eq!(sim.parent.stats(), expected);
    });
}

#[test]
fn an_open_offer_is_withdrawn_and_its_accepts_are_answered() {
    let mut sim = puppets(2, 2);
    let first = sim.delegate();
    sim.say(0, accept(first, 1));
    sim.say(1, accept(first, 1));
    let second = sim.delegate();
    // Bee 1 has less to do and has not answered.
    sim.say(0, accept(second, 1));
    sim.forget();
    sim.tell(Event::Interrupt);
    check(&sim, second, 0, false);
    assert_eq!(sim.ended(first), None, "it runs");
    assert_eq!(sim.told(0), ["task_taken 1/1"], "she had wanted it");
    assert_eq!(sim.told(1), [""; 0], "she has not answered");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "now she has");
}

#[test]
fn a_task_whose_bee_dies_then_is_not_begun_again_and_says_so() {
    either_way(2, 2, |mut sim| {
        let [task] = sim.begin();
        let doer = sim.doer(task).unwrap();
        sim.tell(Event::Interrupt);
        sim.lose(doer);
        check(&sim, task, 1, true);
        assert_eq!(sim.children().len(), 1, "she is not replaced");
        sim.tell(Event::SpawnBee);
        assert_eq!(sim.children().len(), 1, "and nobody else is started");
        sim.tell(Event::Die);
        sim.settle();
        assert!(sim.finished);
    });
}

#[test]
fn a_suspect_that_waits_is_cancelled_and_known_to_have_been_begun() {
    either_way(1, 2, |mut sim| {
        let [task] = sim.begin();
        sim.nature.by_hand = true;
        sim.lose(ChildId(0));
        assert_eq!(sim.parent.census(), [1, 0, 0]);
        sim.tell(Event::Interrupt);
        check(&sim, task, 1, false);
        sim.tell(Event::Die);
        assert!(!sim.finished, "her successor is not gone yet");
        sim.lose(ChildId(1));
        assert!(sim.finished);
    });
}

#[test]
fn a_hive_without_bees_is_interrupted_too() {
    let made = |dispatch| Sim::new(config(dispatch, 1), Nature::of(1));
    with(made, |mut sim| {
        let task = sim.delegate();
        sim.tell(Event::Interrupt);
        check(&sim, task, 0, false);
        sim.tell(Event::Die);
        while let Some(child) = sim.children().first().copied() {
            sim.lose(child);
        }
        assert!(sim.finished);
    });
}
