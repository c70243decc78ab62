//! Rule 3: a round of a task is told from the next, and what belongs to an earlier one changes nothing.

use mt_proto::{FromBee, Round, TaskId, ToBee};

use super::{
    LIMIT, Sim, accept, accept_if_asked, bee_machine, config, deny, done, hear, info,
    puppet_either_way, puppets, puppets_of, test_with,
};
use crate::machine::{bee::BeeEffect, parent::Dispatch, tests::sim::CANCEL_GRACE};

const TASK: TaskId = TaskId(1);

/// Bee 0 got the task and was killed for another one; bee 1, who has not answered, was asked again.
fn second_round() -> Sim {
    let mut sim = puppets(2, 4);
    let other = sim.delegate();
    sim.say(0, deny(other, 1));
    sim.say(1, accept(other, 1));
    assert_eq!(sim.delegate(), TASK);
    sim.say(0, accept(TASK, 1));
    let slow = sim.delegate_within(Some(LIMIT));
    sim.say(0, accept(slow, 1));
    assert_eq!(sim.last_told(0), "task_info 2/1");
    sim.pass(LIMIT);
    sim.pass(CANCEL_GRACE);
    sim.lose(0);
    assert_eq!(sim.last_told(1), "new_task 1/2");
    assert_eq!(sim.oracle.seen["two rounds of a task open with one bee"], 1);
    sim.forget();
    sim
}

#[test]
fn rule_03_a_stale_accept_gets_no_task() {
    let mut sim = second_round();
    sim.say(1, accept(TASK, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "the place is free again");
    assert_eq!(sim.parent.stale(), 1, "counted");
    sim.say(1, accept(TASK, 2));
    assert_eq!(sim.told(1), ["task_taken 1/1", "task_info 1/2"]);
    assert_eq!(sim.parent.stale(), 1, "this one was none");
}

#[test]
fn rule_03_a_stale_deny_withdraws_nothing() {
    let mut sim = second_round();
    sim.say(1, deny(TASK, 1));
    assert_eq!((sim.told(1).len(), sim.parent.stale()), (0, 1), "counted");
    sim.say(1, accept(TASK, 2));
    assert_eq!(sim.told(1), ["task_info 1/2"]);
}

#[test_with(puppet_either_way)]
fn rule_03_a_stale_result_resolves_nothing(mut sim: Sim) {
    let task = sim.delegate();
    accept_if_asked(&mut sim, 0, task);
    assert_eq!(sim.last_told(0), "task_info 0/1");
    let progress = |round| FromBee::TaskProgress {
        task_id: task,
        round: Round(round),
        progress: bytes::Bytes::new(),
    };
    sim.say(0, progress(0));
    sim.say(0, done(task, 0, 0));
    assert_eq!((sim.parent.stale(), sim.ended(task)), (2, None));
    sim.say(0, progress(1));
    sim.say(0, done(task, 1, 0));
    assert_eq!(sim.parent.stale(), 2);
    sim.assert_succeeded(&[task]);
    sim.say(0, progress(1));
    sim.say(0, done(task, 1, 0));
    assert_eq!(sim.parent.stale(), 4, "twice is once too often");
}

#[test]
fn rule_03_what_another_bee_says_of_a_task_is_dropped() {
    let mut sim = puppets_of(config(Dispatch::Credit, 2), 1);
    let task = sim.delegate();
    assert_eq!(sim.told(0), ["task_info 0/1"]);
    sim.say(1, done(task, 1, 1));
    sim.say(1, done(TaskId(77), 1, 1));
    assert_eq!((sim.parent.stale(), sim.ended(task)), (2, None));
}

#[test]
fn rule_03_a_child_knows_rounds_too() {
    let mut child = bee_machine(Some(2));
    let started = hear(&mut child, info(TASK.0, 2));
    assert!(matches!(started[..], [BeeEffect::Start(_)]));
    let cancel = |round| ToBee::TaskCancel {
        task_id: TASK,
        round: Round(round),
    };
    assert_eq!(hear(&mut child, cancel(1)), [], "of an earlier round");
    assert_eq!(hear(&mut child, cancel(2)), [BeeEffect::Cancel(TASK)]);
}
