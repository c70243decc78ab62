//! Ctrl-C: what runs goes on to its end, the rest is cancelled and says why. None of the fifteen rules.

use mt_proto::TaskId;

use super::{BOTH, Nature, Sim, accept, config, hive, puppets};
use crate::machine::parent::{ChildId, Dispatch, Event, HiveStats};

fn reason(sim: &Sim, task: TaskId) -> &str {
    assert_eq!(sim.ended(task), Some("interrupted"));
    &sim.end_of(task).unwrap().reason
}

#[test]
fn what_runs_goes_on_and_the_rest_is_cancelled() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 2);
        let tasks: Vec<TaskId> = (0..5).map(|_| sim.delegate()).collect();
        sim.settle();
        sim.forget();
        sim.tell(Event::Interrupt);
        sim.tell(Event::Interrupt);
        for task in &tasks[2..] {
            assert!(reason(&sim, *task).contains("nothing of it was done"));
        }
        let late = sim.delegate();
        assert!(reason(&sim, late).contains("can be delegated again"));
        sim.settle();
        assert_eq!(sim.told(0), [""; 0], "nobody is told");
        for task in &tasks[..2] {
            assert_eq!(sim.ended(*task), None);
            sim.end(*task);
        }
        sim.settle();
        assert_eq!(sim.ended(tasks[0]), Some("succeeded"));
        assert_eq!(sim.ended(tasks[1]), Some("succeeded"));
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
    }
}

#[test]
fn an_open_offer_is_withdrawn_and_its_accepts_are_answered() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 2);
    let first = sim.delegate();
    sim.say(0, accept(first, 1));
    sim.say(1, accept(first, 1));
    let second = sim.delegate();
    // Bee 1 has less to do and has not answered.
    sim.say(0, accept(second, 1));
    sim.forget();
    sim.tell(Event::Interrupt);
    assert!(reason(&sim, second).contains("nothing of it was done"));
    assert_eq!(sim.ended(first), None, "it runs");
    assert_eq!(sim.told(0), ["task_taken 1/1"], "she had wanted it");
    assert_eq!(sim.told(1), [""; 0], "she has not answered");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "now she has");
}

#[test]
fn a_task_whose_bee_dies_then_is_not_begun_again_and_says_so() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 2);
        let task = sim.delegate();
        sim.settle();
        let doer = sim.doer(task).unwrap();
        sim.tell(Event::Interrupt);
        sim.lose(doer);
        let said = reason(&sim, task);
        let why = "(attempts: 1) and its bee died: killed by signal 9; see what it has done";
        assert!(said.contains(why), "{said}");
        assert_eq!(sim.children().len(), 1, "she is not replaced");
        sim.tell(Event::SpawnBee);
        assert_eq!(sim.children().len(), 1, "and nobody else is started");
        sim.tell(Event::Die);
        sim.settle();
        assert!(sim.finished);
    }
}

#[test]
fn a_suspect_that_waits_is_cancelled_and_known_to_have_been_begun() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 2);
        let task = sim.delegate();
        sim.settle();
        sim.nature.by_hand = true;
        sim.lose(ChildId(0));
        assert_eq!(sim.parent.census(), [1, 0, 0]);
        sim.tell(Event::Interrupt);
        let said = reason(&sim, task);
        assert!(said.contains("attempts: 1"), "{said}");
        sim.tell(Event::Die);
        assert!(!sim.finished, "her successor is not gone yet");
        sim.lose(ChildId(1));
        assert!(sim.finished);
    }
}

#[test]
fn a_hive_without_bees_is_interrupted_too() {
    for dispatch in BOTH {
        let mut sim = Sim::new(config(dispatch, 1), Nature::of(1));
        let task = sim.delegate();
        sim.tell(Event::Interrupt);
        reason(&sim, task);
        sim.tell(Event::Die);
        while let Some(child) = sim.children().first().copied() {
            sim.lose(child);
        }
        assert!(sim.finished);
    }
}
