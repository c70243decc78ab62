//! Rule 8: die crosses with an accept. Rule 9: what a bee has, she finishes. And the end of a hive.

use mt_proto::{FromBee, Round, TaskId, TaskStatus, ToBee};

use super::{
    MOMENT, Nature, Sim, accept_if_asked, bee_machine, config, deny, done, either_way, happen,
    hear, hive, info, offer, puppet_either_way, puppets, test_with, with,
};
use crate::machine::{
    bee::{BeeEffect, BeeEvent, Nonsense},
    parent::{Dispatch, Event},
    tests::sim::{BURY_GRACE, EXIT_GRACE},
};

const DEAD: [BeeEffect; 2] = [BeeEffect::Say(FromBee::Dead), BeeEffect::Exit];
const DYING: [BeeEffect; 1] = [BeeEffect::Say(FromBee::Dying)];

#[test]
fn rule_08_after_die_nothing_is_said_to_an_open_accept() {
    let mut sim = hive(Dispatch::Auction, 2, 1);
    let task = sim.delegate();
    sim.process(0).hear();
    assert_eq!(sim.taken(), [1, 0], "reserved");
    // Her accept is on its way.
    sim.bury(0);
    sim.settle();
    assert_eq!(sim.told(0), ["new_task 0/1", "die"]);
    assert_eq!(sim.oracle.seen["die with an open accept"], 1);
    assert_eq!(sim.bees(), [1], "she is gone");
    assert_eq!(sim.doer(task), Some(1), "somebody else has it");
}

#[test]
fn rule_08_a_child_drops_its_open_accepts_at_die() {
    let mut sim = hive(Dispatch::Auction, 1, 2);
    let [first] = sim.begin();
    let second = sim.delegate();
    sim.process(0).hear();
    assert_eq!(sim.taken(), [2]);
    sim.bury(None);
    sim.process(0).hear();
    assert!(sim.process(0).machine().is_dying());
    assert_eq!(sim.taken(), [1], "what runs");
    sim.spawn();
    sim.settle();
    let doers = [first, second].map(|task| sim.doer(task));
    assert_eq!(doers, [Some(0), Some(1)]);
}

/// What a child does with what its parent says to it in this order, and with what it can't say.
#[test]
fn rule_08_after_die_a_child_wants_nothing_and_takes_nothing() {
    let mut child = bee_machine(Some(3));
    for message in [offer(0), offer(1), info(0, 1), ToBee::Die] {
        hear(&mut child, message);
    }
    let denied = BeeEffect::Say(deny(TaskId(2), 1));
    assert_eq!(hear(&mut child, offer(2)), [denied]);
    // The parent had said so before it was told that the place was given up.
    let (task_id, round) = (TaskId(1), Round(1));
    assert_eq!(hear(&mut child, ToBee::TaskTaken { task_id, round }), []);
    let late = child.handle(BeeEvent::Said(info(1, 1)));
    assert_eq!(late, Err(Nonsense("task_info after die")));
    assert_eq!(child.poll_effect(), None);
    let last = happen(&mut child, ended());
    assert!(matches!(last[0], BeeEffect::Say(FromBee::TaskDone { .. })));
    assert_eq!(last[1..], DEAD);
}

/// The end of the task that [`info`] has begun.
fn ended() -> BeeEvent {
    BeeEvent::Ended(TaskId(0), TaskStatus::Cancelled)
}

#[test]
fn without_children_she_is_dead_when_her_last_task_is() {
    let mut bee = bee_machine(None);
    hear(&mut bee, info(0, 1));
    assert_eq!(hear(&mut bee, ToBee::Die), []);
    assert_eq!(happen(&mut bee, ended())[1..], DEAD);
}

#[test]
fn her_children_die_after_her_last_task_and_before_her() {
    let mut bee = bee_machine(None).with_children();
    hear(&mut bee, info(0, 1));
    assert_eq!(
        hear(&mut bee, ToBee::Die),
        [],
        "her task may still delegate"
    );
    assert_eq!(happen(&mut bee, ended())[1..], [BeeEffect::Bury]);
    assert_eq!(
        happen(&mut bee, BeeEvent::Burying),
        DYING,
        "her thread is at it"
    );
    let denied = BeeEffect::Say(deny(TaskId(8), 1));
    assert_eq!(hear(&mut bee, offer(8)), [denied], "and that is all");
    assert_eq!(hear(&mut bee, ToBee::Die), [], "she is at it");
    assert_eq!(happen(&mut bee, BeeEvent::ChildrenGone), DEAD);
    assert_eq!(hear(&mut bee, ToBee::Die), [], "once");
}

#[test]
fn children_of_a_bee_with_nothing_to_do_die_at_once() {
    let mut bee = bee_machine(None).with_children();
    assert_eq!(hear(&mut bee, ToBee::Die), [BeeEffect::Bury]);
    assert_eq!(happen(&mut bee, BeeEvent::Burying), DYING);
    assert_eq!(happen(&mut bee, BeeEvent::Burying), [], "once");
    assert_eq!(happen(&mut bee, BeeEvent::ChildrenGone), DEAD);
}

#[test]
fn children_that_are_gone_early_are_not_waited_for() {
    let mut bee = bee_machine(None).with_children();
    assert_eq!(happen(&mut bee, BeeEvent::ChildrenGone), []);
    assert_eq!(hear(&mut bee, ToBee::Die), DEAD);
}

#[test_with(either_way, 1, 2)]
fn rule_09_a_bee_that_is_told_to_die_finishes_what_she_has(mut sim: Sim) {
    let tasks = sim.begin::<2>();
    sim.bury(None);
    sim.settle();
    sim.finish(tasks[0]);
    assert_eq!(sim.bees(), [0], "one is left to do");
    sim.pass(EXIT_GRACE * 10);
    assert!(!sim.is_doomed(0), "she has her time");
    sim.finish(tasks[1]);
    assert!(sim.bees().is_empty(), "gone");
    sim.assert_succeeded(&tasks);
}

#[test]
fn rule_09_the_bees_of_a_bee_die_after_her_tasks_and_before_her() {
    let parent = Nature {
        is_parent: true,
        ..Nature::of(1)
    };
    let made = |dispatch| Sim::ready(config(dispatch, 1), parent);
    with(made, |mut sim| {
        let [task] = sim.begin();
        sim.bury(None);
        sim.settle();
        assert!(!sim.process(0).buries, "her task may delegate");
        sim.finish(task);
        assert!(sim.process(0).buries);
        sim.assert_succeeded(&[task]);
        sim.pass(EXIT_GRACE * 10);
        assert!(!sim.is_doomed(0), "their time is not hers");
        sim.process(0).children_gone();
        sim.settle();
        assert!(sim.bees().is_empty(), "gone");
    });
}

/// Every wait for a bee that dies has a limit: for her to begin, for her own bees, and for her end.
#[test]
fn a_bee_that_dies_and_gets_no_further_is_killed() {
    let steps = [
        (None, EXIT_GRACE),
        (Some(FromBee::Dying), BURY_GRACE),
        (Some(FromBee::Dead), EXIT_GRACE),
    ];
    for stuck in 0..steps.len() {
        let mut sim = puppets(1, 1);
        sim.bury(None);
        for (at, (word, grace)) in steps.iter().enumerate().take(stuck + 1) {
            if let Some(word) = word {
                sim.say(0, word.clone());
            }
            assert_eq!(sim.due_in(), Some(*grace));
            sim.pass(*grace - MOMENT);
            assert!(!sim.is_doomed(0), "she has her time");
            if at == stuck {
                sim.pass(MOMENT);
                assert!(sim.is_doomed(0), "{word:?}");
            }
        }
    }
}

#[test_with(puppet_either_way)]
fn a_bee_that_has_finished_and_does_not_go_is_killed(mut sim: Sim) {
    let task = sim.delegate();
    accept_if_asked(&mut sim, 0, task);
    sim.bury(None);
    sim.pass(EXIT_GRACE);
    sim.say(0, done(task, 1, 0));
    assert_eq!(sim.due_in(), Some(EXIT_GRACE));
    sim.pass(EXIT_GRACE - MOMENT);
    assert!(!sim.is_doomed(0));
    sim.pass(MOMENT);
    assert!(sim.is_doomed(0));
}

#[test_with(either_way, 2, 1)]
fn a_hive_finishes_what_it_has_before_it_dies(mut sim: Sim) {
    let tasks = sim.begin::<3>();
    sim.tell(Event::Die);
    let late = sim.delegate();
    assert_eq!(sim.ended(late), Some("hive closed"));
    sim.settle();
    for task in tasks {
        assert!(!sim.finished);
        sim.finish(task);
        sim.assert_succeeded(&[task]);
    }
    assert!(sim.finished && sim.bees().is_empty());
}

/// A bee that dies then is replaced as ever: her tasks are still to be done.
#[test_with(either_way, 1, 1)]
fn a_dying_hive_loses_no_task(mut sim: Sim) {
    let [task] = sim.begin();
    sim.tell(Event::Die);
    sim.lose(0);
    sim.settle();
    sim.finish(task);
    assert_eq!((sim.ended(task), sim.finished), (Some("succeeded"), true));
}

#[test]
fn a_hive_dies_while_its_bees_are_being_made() {
    let mut sim = Sim::new(config(Dispatch::Auction, 2), Nature::of(1));
    sim.tell(Event::Tick);
    sim.tell(Event::Die);
    for bee in sim.bees() {
        assert!(sim.is_doomed(bee), "she has nothing to finish");
        sim.lose(bee);
    }
    assert!(sim.finished);
}
