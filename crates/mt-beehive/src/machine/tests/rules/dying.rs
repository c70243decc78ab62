//! Rule 8: die crosses with an accept. Rule 9: what a bee has, she finishes. And the end of a hive.

use std::time::Duration;

use mt_proto::{DeathType, FromBee, Round, TaskId, TaskInfo, ToBee};

use super::{BOTH, Sim, accept, config, deny, done, hive, puppets};
use crate::machine::{
    bee::{BeeMachine, Effect, Event as ChildEvent, Nonsense},
    parent::{ChildId, Dispatch, Event},
    tests::{process::Nature, sim::EXIT_GRACE},
};

#[test]
fn rule_08_after_die_nothing_is_said_to_an_open_accept() {
    let mut sim = hive(Dispatch::Auction, 2, 1);
    let task = sim.delegate();
    sim.hear(ChildId(0));
    assert_eq!(sim.process(ChildId(0)).places_taken(), 1, "reserved");
    // Her accept is on its way.
    sim.tell(Event::Bury(Some(ChildId(0))));
    sim.settle();
    assert_eq!(sim.told(0), ["new_task 0/1", "die"]);
    assert_eq!(sim.oracle.seen["die with an open accept"], 1);
    assert_eq!(sim.children(), [ChildId(1)], "she is gone");
    assert_eq!(sim.doer(task), Some(ChildId(1)), "somebody else has it");
}

#[test]
fn rule_08_a_child_drops_its_open_accepts_at_die() {
    let mut sim = hive(Dispatch::Auction, 1, 2);
    let first = sim.delegate();
    sim.settle();
    let second = sim.delegate();
    sim.hear(ChildId(0));
    assert_eq!(sim.process(ChildId(0)).places_taken(), 2);
    sim.tell(Event::Bury(None));
    sim.hear(ChildId(0));
    assert!(sim.process(ChildId(0)).is_dying());
    assert_eq!(sim.process(ChildId(0)).places_taken(), 1, "what runs");
    sim.tell(Event::SpawnBee);
    sim.settle();
    assert_eq!(
        (sim.doer(first), sim.doer(second)),
        (Some(ChildId(0)), Some(ChildId(1)))
    );
}

/// What a child does with what its parent says to it in this order, and with what it can't say.
#[test]
fn rule_08_after_die_a_child_wants_nothing_and_takes_nothing() {
    let (task_id, round) = (TaskId(0), Round(1));
    let offer = |task| ToBee::NewTask {
        task_id: TaskId(task),
        round,
    };
    let info = |task| {
        ToBee::TaskInfo(TaskInfo {
            task_id: TaskId(task),
            round,
            name: "work".into(),
            args: bytes::Bytes::new(),
            deadline: None,
            attempt: 1,
        })
    };
    let mut child = BeeMachine::new(Some(3));
    for message in [offer(0), offer(1), info(0), ToBee::Die] {
        child.handle(ChildEvent::Said(message)).unwrap();
    }
    while child.poll_effect().is_some() {}
    child.handle(ChildEvent::Said(offer(2))).unwrap();
    assert_eq!(child.poll_effect(), Some(Effect::Say(deny(TaskId(2), 1))));
    // The parent had said so before it was told that the place was given up.
    let taken = ToBee::TaskTaken {
        task_id: TaskId(1),
        round,
    };
    assert_eq!(child.handle(ChildEvent::Said(taken)), Ok(()));
    let late = child.handle(ChildEvent::Said(info(1)));
    assert_eq!(late, Err(Nonsense("task_info after die")));
    assert_eq!(child.poll_effect(), None);
    let status = mt_proto::TaskStatus::Cancelled { reason: None };
    child.handle(ChildEvent::Ended(task_id, status)).unwrap();
    let last: Vec<_> = std::iter::from_fn(|| child.poll_effect()).collect();
    let dead = FromBee::Dead(DeathType::Normal { exit_code: None });
    assert!(matches!(last[0], Effect::Say(FromBee::TaskDone { .. })));
    assert_eq!(last[1..], [Effect::Say(dead), Effect::Exit]);
}

#[test]
fn rule_09_a_bee_that_is_told_to_die_finishes_what_she_has() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 2);
        let tasks = [sim.delegate(), sim.delegate()];
        sim.settle();
        sim.tell(Event::Bury(None));
        sim.settle();
        sim.end(tasks[0]);
        sim.settle();
        assert_eq!(sim.children(), [ChildId(0)], "one is left to do");
        sim.pass(EXIT_GRACE * 10);
        assert!(!sim.process(ChildId(0)).doomed, "she has her time");
        sim.end(tasks[1]);
        sim.settle();
        assert_eq!(sim.children(), [], "gone");
        assert!(
            tasks
                .iter()
                .all(|&task| sim.ended(task) == Some("succeeded"))
        );
    }
}

#[test]
fn rule_09_the_bees_of_a_bee_die_after_her_tasks_and_before_her() {
    for dispatch in BOTH {
        let parent = Nature {
            is_parent: true,
            ..Nature::of(1)
        };
        let mut sim = Sim::ready(config(dispatch, 1), parent);
        let task = sim.delegate();
        sim.settle();
        sim.tell(Event::Bury(None));
        sim.settle();
        assert!(!sim.process(ChildId(0)).buries, "her task may delegate");
        sim.end(task);
        sim.settle();
        assert!(sim.process(ChildId(0)).buries);
        assert_eq!(sim.ended(task), Some("succeeded"), "told at once");
        sim.pass(EXIT_GRACE * 10);
        assert!(!sim.process(ChildId(0)).doomed, "their time is not hers");
        sim.process(ChildId(0)).children_gone();
        sim.settle();
        assert_eq!(sim.children(), [], "gone");
    }
}

#[test]
fn a_bee_whose_bees_are_gone_and_that_does_not_go_is_killed() {
    let mut sim = puppets(config(Dispatch::Auction, 1), 1, 1);
    sim.tell(Event::Bury(None));
    sim.say(0, FromBee::Dying);
    sim.pass(EXIT_GRACE * 10);
    assert_eq!(sim.parent.poll_timeout(), None);
    sim.say(0, FromBee::Dead(DeathType::Normal { exit_code: None }));
    assert_eq!(sim.parent.poll_timeout(), Some(sim.now + EXIT_GRACE));
    sim.pass(EXIT_GRACE);
    assert!(sim.process(ChildId(0)).doomed);
}

#[test]
fn a_bee_that_has_finished_and_does_not_go_is_killed() {
    for dispatch in BOTH {
        let mut sim = puppets(config(dispatch, 1), 1, 1);
        let task = sim.delegate();
        if dispatch == Dispatch::Auction {
            sim.say(0, accept(task, 1));
        }
        sim.tell(Event::Bury(None));
        sim.pass(EXIT_GRACE);
        sim.say(0, done(task, 1, 0));
        assert_eq!(sim.parent.poll_timeout(), Some(sim.now + EXIT_GRACE));
        sim.pass(EXIT_GRACE - Duration::from_millis(1));
        assert!(!sim.process(ChildId(0)).doomed);
        sim.pass(Duration::from_millis(1));
        assert!(sim.process(ChildId(0)).doomed);
    }
}

#[test]
fn a_hive_finishes_what_it_has_before_it_dies() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 1);
        let tasks: Vec<_> = (0..3).map(|_| sim.delegate()).collect();
        sim.settle();
        sim.tell(Event::Die);
        let late = sim.delegate();
        assert_eq!(sim.ended(late), Some("the hive is dying"));
        sim.settle();
        for task in tasks {
            assert!(!sim.finished);
            sim.end(task);
            sim.settle();
            assert_eq!(sim.ended(task), Some("succeeded"), "{dispatch:?}");
        }
        assert!(sim.finished && sim.children().is_empty());
    }
}

/// A bee that dies then is replaced as ever: her tasks are still to be done.
#[test]
fn a_dying_hive_loses_no_task() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.tell(Event::Die);
        sim.lose(ChildId(0));
        sim.settle();
        sim.end(task);
        sim.settle();
        assert_eq!((sim.ended(task), sim.finished), (Some("succeeded"), true));
    }
}

#[test]
fn a_hive_dies_while_its_bees_are_being_made() {
    let mut sim = Sim::new(config(Dispatch::Auction, 2), Nature::of(1));
    sim.tell(Event::Tick);
    sim.tell(Event::Die);
    for child in sim.children() {
        assert!(sim.process(child).doomed, "she has nothing to finish");
        sim.lose(child);
    }
    assert!(sim.finished);
}
