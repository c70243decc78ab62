//! Rule 1: an accept reserves a place, and every accept is answered. Rule 2: nobody wants a task.

use std::time::Duration;

use mt_proto::TaskId;

use super::{
    LIMIT, MOMENT, Nature, Sim, accept, bee_machine, config, deny, done, either_way, hear, hive,
    offer, puppets, ready, test_with, with,
};
use crate::machine::{bee::BeeEffect, parent::Dispatch};

#[test]
fn rule_01_an_accept_reserves_a_place_until_it_is_answered() {
    let mut sim = hive(Dispatch::Auction, 2, 1);
    let task = sim.delegate();
    for bee in [0, 1] {
        sim.process(bee).hear();
    }
    assert_eq!(sim.taken(), [1, 1]);
    sim.settle();
    assert_eq!(sim.doer(task), Some(0));
    assert_eq!(sim.taken(), [1, 0], "it runs, and the other place is free");
}

#[test]
fn rule_01_a_child_without_a_free_place_denies() {
    let mut child = bee_machine(Some(1));
    let accepts = BeeEffect::Say(accept(TaskId(0), 1));
    assert_eq!(hear(&mut child, offer(0)), [accepts]);
    let denies = BeeEffect::Say(deny(TaskId(1), 1));
    assert_eq!(hear(&mut child, offer(1)), [denies]);
}

#[test]
fn rule_01_all_accepts_are_answered_one_of_them_with_the_task() {
    let mut sim = hive(Dispatch::Auction, 3, 1);
    sim.begin::<1>();
    assert_eq!(sim.told(0), ["new_task 0/1", "task_info 0/1"]);
    assert_eq!(sim.told(1), ["new_task 0/1", "task_taken 0/1"]);
    assert_eq!(sim.told(2), ["new_task 0/1", "task_taken 0/1"]);
}

#[test]
fn rule_01_a_late_accept_is_answered_too() {
    let mut sim = puppets(2, 1);
    let first = sim.delegate();
    sim.say(1, accept(first, 1));
    assert_eq!(sim.told(1), ["new_task 0/1", "task_info 0/1"]);
    sim.say(0, accept(first, 1));
    assert_eq!(sim.told(0), ["new_task 0/1", "task_taken 0/1"]);

    let second = sim.delegate();
    sim.say(1, done(first, 1, 1));
    sim.say(0, accept(second, 1));
    sim.say(0, done(second, 1, 0));
    sim.assert_succeeded(&[second]);
    sim.forget();
    let third = sim.delegate();
    assert_eq!(sim.told(0), ["new_task 2/1"]);
    sim.cancel(third);
    sim.say(0, accept(third, 1));
    assert_eq!(sim.told(0), ["new_task 2/1", "task_taken 2/1"], "ended");
}

#[test]
fn rule_01_nobody_is_asked_about_more_than_she_has_places_for() {
    let mut sim = puppets(1, 2);
    let [first, second, _] = sim.delegate_all();
    assert_eq!(sim.told(0), ["new_task 0/1", "new_task 1/1"], "two offers");
    sim.say(0, accept(first, 1));
    sim.say(0, accept(second, 1));
    assert_eq!(sim.told(0).len(), 4, "two tasks, still no third offer");
    sim.say(0, done(first, 1, 0));
    assert_eq!(sim.last_told(0), "new_task 2/1");
}

#[test]
fn rule_01_whoever_has_least_to_do_gets_it() {
    let mut sim = hive(Dispatch::Auction, 2, 8);
    for _ in 0..8 {
        sim.begin::<1>();
    }
    assert_eq!(sim.shares(), [4, 4]);
}

#[test_with(either_way, 2, 1)]
fn rule_02_what_finds_no_free_place_waits_for_one(mut sim: Sim) {
    let [_, second, third] = sim.begin();
    assert_eq!((sim.doer(third), sim.ended(third)), (None, None));
    sim.finish(second);
    assert_eq!(sim.doer(third), Some(1));
}

#[test]
fn rule_02_when_all_deny_the_task_waits_until_one_has_less_to_do() {
    let mut sim = puppets(2, 8);
    let [first, second] = sim.delegate_all();
    for bee in [0, 1] {
        sim.say(bee, accept(first, 1));
        sim.say(bee, accept(second, 1));
    }
    sim.forget();
    let third = sim.delegate();
    for bee in [0, 1] {
        sim.say(bee, deny(third, 1));
        assert_eq!(sim.told(bee), ["new_task 2/1"], "once");
    }
    sim.pass(Duration::from_secs(20));
    assert_eq!((sim.told.len(), sim.ended(third)), (2, None), "it waits");
    sim.say(1, done(second, 1, 1));
    assert_eq!(sim.told(1), ["new_task 2/1", "new_task 2/2"]);
    sim.say(1, accept(third, 2));
    sim.say(1, done(third, 2, 1));
    sim.assert_succeeded(&[third]);
    assert_eq!(sim.oracle.seen["all deny, then success"], 1);
}

#[test]
fn rule_02_a_bee_with_nothing_to_do_that_denies_is_asked_again() {
    let mut sim = puppets(1, 1);
    let task = sim.delegate();
    sim.say(0, deny(task, 1));
    assert_eq!(sim.told(0), ["new_task 0/1", "new_task 0/2"]);
}

#[test_with(either_way, 1, 1)]
fn rule_02_a_task_that_waits_has_its_deadline_all_the_same(mut sim: Sim) {
    let first = sim.delegate();
    let second = sim.begin_within(LIMIT);
    sim.pass(LIMIT - MOMENT);
    assert_eq!(sim.ended(second), None);
    assert_eq!(sim.due_in(), Some(MOMENT));
    sim.pass(MOMENT);
    assert_eq!(sim.ended(second), Some("deadline"));
    sim.finish(first);
    sim.assert_succeeded(&[first]);
}

#[test]
fn rule_04_a_bee_that_joins_is_asked_about_what_is_on_offer() {
    let mut sim = puppets(1, 1);
    let task = sim.delegate();
    sim.spawn();
    sim.say(1, ready(1));
    assert_eq!(sim.told(1), ["new_task 0/1"], "in the round that is open");
    sim.say(1, accept(task, 1));
    assert_eq!(sim.last_told(1), "task_info 0/1");
    sim.say(0, accept(task, 1));
    assert_eq!(sim.last_told(0), "task_taken 0/1");
}

#[test]
fn rule_04_no_more_than_it_has_places_for() {
    let mut sim = puppets(1, 4);
    sim.delegate_all::<4>();
    sim.spawn();
    sim.say(1, ready(2));
    assert_eq!(sim.told(1), ["new_task 0/1", "new_task 1/1"]);
}

#[test_with(either_way, 1, 1)]
fn rule_04_a_bee_that_joins_gets_what_waits(mut sim: Sim) {
    let [_, second] = sim.begin();
    sim.spawn();
    sim.settle();
    assert_eq!(sim.doer(second), Some(1));
}

/// What a hive is delegated before it has bees waits for them.
#[test]
fn rule_04_the_first_bee_gets_what_was_delegated_before() {
    let unborn = |dispatch| Sim::new(config(dispatch, 1), Nature::of(1));
    with(unborn, |mut sim| {
        let [task] = sim.begin();
        assert_eq!(sim.doer(task), Some(0));
    });
}

#[test]
fn rule_01_nobody_waits_for_the_answers_of_one_that_is_silent() {
    let mut sim = puppets(2, 8);
    let [first, second] = sim.delegate_all();
    sim.say(1, accept(first, 1));
    sim.say(1, accept(second, 1));
    sim.forget();
    sim.silence(0, true);
    assert_eq!(sim.told(1), ["task_info 1/1"], "the other has less to do");
    let third = sim.delegate();
    sim.say(1, accept(third, 1));
    assert_eq!(sim.told(1)[1..], ["new_task 2/1", "task_info 2/1"]);
    assert!(sim.told(0).is_empty());
    sim.silence(0, false);
    sim.say(0, accept(first, 1));
    sim.say(0, accept(second, 1));
    assert_eq!(sim.told(0), ["task_taken 0/1", "task_taken 1/1"]);

    sim.forget();
    let fourth = sim.delegate();
    assert_eq!(sim.told(0), ["new_task 3/1"], "she is asked again");
    sim.say(0, accept(fourth, 1));
    assert_eq!(sim.told(0)[1..], ["task_info 3/1"]);
}

#[test]
fn rule_01_what_one_that_is_silent_wanted_goes_to_others() {
    let mut sim = puppets(2, 8);
    let [first, second] = sim.delegate_all();
    sim.say(0, accept(first, 1));
    sim.say(0, accept(second, 1));
    sim.forget();
    sim.silence(0, true);
    assert_eq!(sim.told(0), ["task_taken 1/1"], "the first she keeps");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_info 1/1"]);
    sim.silence(1, true);
    let third = sim.delegate();
    assert_eq!(sim.parent.census(), [1, 0, 2], "nobody can be asked");
    sim.silence(0, false);
    sim.say(0, accept(third, 1));
    assert_eq!(sim.told(0)[1..], ["new_task 2/1", "task_info 2/1"]);
}

#[test_with(either_way, 2, 1)]
fn rule_02_one_that_is_silent_gets_nothing(mut sim: Sim) {
    sim.silence(0, true);
    let [first, second] = sim.begin();
    assert_eq!([first, second].map(|task| sim.doer(task)), [Some(1), None]);
    sim.silence(0, false);
    sim.settle();
    assert_eq!(sim.doer(second), Some(0));
}
