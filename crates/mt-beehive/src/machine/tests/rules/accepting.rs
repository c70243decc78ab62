//! Rule 1: an accept reserves a place, and every accept is answered. Rule 2: nobody wants a task.

use std::time::Duration;

use mt_proto::FromBee;

use super::{BOTH, Sim, accept, config, deny, done, hive, puppets};
use crate::machine::{
    bee::{self, BeeMachine},
    parent::{ChildId, Dispatch, Event},
};

#[test]
fn rule_01_an_accept_reserves_a_place_until_it_is_answered() {
    let mut sim = hive(Dispatch::Auction, 2, 1);
    let task = sim.delegate();
    sim.hear(ChildId(0));
    sim.hear(ChildId(1));
    for bee in [0, 1] {
        assert_eq!(sim.process(ChildId(bee)).places_taken(), 1, "reserved");
    }
    sim.settle();
    assert_eq!(sim.doer(task), Some(ChildId(0)));
    assert_eq!(sim.process(ChildId(0)).places_taken(), 1, "it runs");
    assert_eq!(sim.process(ChildId(1)).places_taken(), 0, "free again");
}

#[test]
fn rule_01_a_child_without_a_free_place_denies() {
    let mut child = BeeMachine::new(Some(1));
    let mut hear = |task| {
        let (task_id, round) = (mt_proto::TaskId(task), mt_proto::Round(1));
        let offer = mt_proto::ToBee::NewTask { task_id, round };
        child.handle(bee::Event::Said(offer)).unwrap();
        std::iter::from_fn(|| child.poll_effect()).last()
    };
    let said = |message| Some(bee::Effect::Say(message));
    assert_eq!(hear(0), said(accept(mt_proto::TaskId(0), 1)));
    assert_eq!(hear(1), said(deny(mt_proto::TaskId(1), 1)));
}

#[test]
fn rule_01_all_accepts_are_answered_one_of_them_with_the_task() {
    let mut sim = hive(Dispatch::Auction, 3, 1);
    sim.delegate();
    sim.settle();
    assert_eq!(sim.told(0), ["new_task 0/1", "task_info 0/1"]);
    assert_eq!(sim.told(1), ["new_task 0/1", "task_taken 0/1"]);
    assert_eq!(sim.told(2), ["new_task 0/1", "task_taken 0/1"]);
}

#[test]
fn rule_01_a_late_accept_is_answered_too() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 1);
    let task = sim.delegate();
    sim.say(1, accept(task, 1));
    assert_eq!(sim.told(1), ["new_task 0/1", "task_info 0/1"]);
    sim.say(0, accept(task, 1));
    assert_eq!(sim.told(0), ["new_task 0/1", "task_taken 0/1"]);

    let task = sim.delegate();
    sim.say(1, done(mt_proto::TaskId(0), 1, 1));
    sim.say(0, accept(task, 1));
    sim.say(0, done(task, 1, 0));
    assert_eq!(sim.ended(task), Some("succeeded"));
    sim.forget();
    let third = sim.delegate();
    assert_eq!(sim.told(0), ["new_task 2/1"]);
    sim.tell(Event::Cancel(third, "asked".into()));
    sim.say(0, accept(third, 1));
    assert_eq!(sim.told(0), ["new_task 2/1", "task_taken 2/1"], "ended");
}

#[test]
fn rule_01_nobody_is_asked_about_more_than_she_has_places_for() {
    let mut sim = puppets(config(Dispatch::Auction, 1), 1, 2);
    let tasks = [sim.delegate(), sim.delegate(), sim.delegate()];
    assert_eq!(sim.told(0), ["new_task 0/1", "new_task 1/1"], "two offers");
    sim.say(0, accept(tasks[0], 1));
    sim.say(0, accept(tasks[1], 1));
    assert_eq!(sim.told(0).len(), 4, "two tasks, still no third offer");
    sim.say(0, done(tasks[0], 1, 0));
    assert_eq!(sim.told(0).last().unwrap(), "new_task 2/1");
}

#[test]
fn rule_01_whoever_has_least_to_do_gets_it() {
    let mut sim = hive(Dispatch::Auction, 2, 8);
    for _ in 0..8 {
        sim.delegate();
        sim.settle();
    }
    let shares = [0, 1].map(|bee| sim.process(ChildId(bee)).running.len());
    assert_eq!(shares, [4, 4]);
}

#[test]
fn rule_02_what_finds_no_free_place_waits_for_one() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 1);
        let tasks: Vec<_> = (0..3).map(|_| sim.delegate()).collect();
        sim.settle();
        assert_eq!((sim.doer(tasks[2]), sim.ended(tasks[2])), (None, None));
        sim.end(tasks[1]);
        sim.settle();
        assert_eq!(sim.doer(tasks[2]), Some(ChildId(1)), "{dispatch:?}");
    }
}

#[test]
fn rule_02_when_all_deny_the_task_waits_until_one_has_less_to_do() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 8);
    let [first, second] = [sim.delegate(), sim.delegate()];
    for bee in [0, 1] {
        sim.say(bee, accept(first, 1));
        sim.say(bee, accept(second, 1));
    }
    sim.forget();
    let third = sim.delegate();
    sim.say(0, deny(third, 1));
    sim.say(1, deny(third, 1));
    let offer = ["new_task 2/1"];
    assert_eq!(
        (sim.told(0), sim.told(1)),
        (offer.map(Into::into).into(), offer.map(Into::into).into()),
        "once each"
    );
    sim.pass(Duration::from_secs(3600));
    assert_eq!((sim.told.len(), sim.ended(third)), (2, None), "it waits");
    sim.say(1, done(second, 1, 1));
    assert_eq!(sim.told(1), ["new_task 2/1", "new_task 2/2"]);
    sim.say(1, accept(third, 2));
    sim.say(1, done(third, 2, 1));
    assert_eq!(sim.ended(third), Some("succeeded"));
    assert_eq!(sim.oracle.seen["all deny, then success"], 1);
}

#[test]
fn rule_02_a_bee_with_nothing_to_do_that_denies_is_asked_again() {
    let mut sim = puppets(config(Dispatch::Auction, 1), 1, 1);
    let task = sim.delegate();
    sim.say(0, deny(task, 1));
    assert_eq!(sim.told(0), ["new_task 0/1", "new_task 0/2"]);
}

#[test]
fn rule_02_a_task_that_waits_has_its_deadline_all_the_same() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let first = sim.delegate();
        let limit = Duration::from_millis(500);
        let second = sim.delegate_within(Some(limit));
        sim.settle();
        sim.pass(limit - Duration::from_millis(1));
        assert_eq!(sim.ended(second), None);
        assert_eq!(
            sim.parent.poll_timeout(),
            Some(sim.now + Duration::from_millis(1))
        );
        sim.pass(Duration::from_millis(1));
        assert_eq!(sim.ended(second), Some("deadline"));
        sim.end(first);
        sim.settle();
        assert_eq!(sim.ended(first), Some("succeeded"), "{dispatch:?}");
    }
}

#[test]
fn rule_04_a_bee_that_joins_is_asked_about_what_is_on_offer() {
    let mut sim = puppets(config(Dispatch::Auction, 1), 1, 1);
    let task = sim.delegate();
    sim.tell(Event::SpawnBee);
    sim.say(
        1,
        FromBee::Ready {
            max_concurrency: Some(1),
        },
    );
    assert_eq!(sim.told(1), ["new_task 0/1"], "in the round that is open");
    sim.say(1, accept(task, 1));
    assert_eq!(sim.told(1).last().unwrap(), "task_info 0/1");
    sim.say(0, accept(task, 1));
    assert_eq!(sim.told(0).last().unwrap(), "task_taken 0/1");
}

#[test]
fn rule_04_no_more_than_it_has_places_for() {
    let mut sim = puppets(config(Dispatch::Auction, 1), 1, 4);
    for _ in 0..4 {
        sim.delegate();
    }
    sim.tell(Event::SpawnBee);
    sim.say(
        1,
        FromBee::Ready {
            max_concurrency: Some(2),
        },
    );
    assert_eq!(sim.told(1), ["new_task 0/1", "new_task 1/1"]);
}

#[test]
fn rule_04_a_bee_that_joins_gets_what_waits() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let tasks: Vec<_> = (0..2).map(|_| sim.delegate()).collect();
        sim.settle();
        sim.tell(Event::SpawnBee);
        sim.settle();
        assert_eq!(sim.doer(tasks[1]), Some(ChildId(1)), "{dispatch:?}");
    }
}

/// What a hive is delegated before it has bees waits for them.
#[test]
fn rule_04_the_first_bee_gets_what_was_delegated_before() {
    for dispatch in BOTH {
        let mut sim = Sim::new(config(dispatch, 1), super::Nature::of(1));
        let task = sim.delegate();
        sim.settle();
        assert_eq!(sim.doer(task), Some(ChildId(0)), "{dispatch:?}");
    }
}

#[test]
fn rule_01_nobody_waits_for_the_answers_of_one_that_is_silent() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 8);
    let [first, second] = [sim.delegate(), sim.delegate()];
    sim.say(1, accept(first, 1));
    sim.say(1, accept(second, 1));
    sim.forget();
    sim.tell(Event::Silent(ChildId(0), true));
    assert_eq!(sim.told(1), ["task_info 1/1"], "the other has less to do");
    let third = sim.delegate();
    sim.say(1, accept(third, 1));
    assert_eq!(sim.told(1)[1..], ["new_task 2/1", "task_info 2/1"]);
    assert!(sim.told(0).is_empty());
    sim.tell(Event::Silent(ChildId(0), false));
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
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 8);
    let [first, second] = [sim.delegate(), sim.delegate()];
    sim.say(0, accept(first, 1));
    sim.say(0, accept(second, 1));
    sim.forget();
    sim.tell(Event::Silent(ChildId(0), true));
    assert_eq!(sim.told(0), ["task_taken 1/1"], "the first she keeps");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_info 1/1"]);
    sim.tell(Event::Silent(ChildId(1), true));
    let third = sim.delegate();
    assert_eq!(
        sim.parent.census(),
        [1, 0, 2],
        "there is nobody to be asked"
    );
    sim.tell(Event::Silent(ChildId(0), false));
    sim.say(0, accept(third, 1));
    assert_eq!(sim.told(0)[1..], ["new_task 2/1", "task_info 2/1"]);
}

#[test]
fn rule_02_one_that_is_silent_gets_nothing() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 1);
        sim.tell(Event::Silent(ChildId(0), true));
        let tasks = [sim.delegate(), sim.delegate()];
        sim.settle();
        assert_eq!(sim.doer(tasks[0]), Some(ChildId(1)), "{dispatch:?}");
        assert_eq!(sim.doer(tasks[1]), None);
        sim.tell(Event::Silent(ChildId(0), false));
        sim.settle();
        assert_eq!(sim.doer(tasks[1]), Some(ChildId(0)));
    }
}
