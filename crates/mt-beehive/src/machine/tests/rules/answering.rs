//! Rule 17: what a bee owes at once has an end. Rule 18: nothing is said out of turn.

use std::time::Duration;

use mt_proto::{FromBee, Round, TaskId, ToBee};

use super::{
    MOMENT, Nature, Sim, accept, bee_machine, config, deny, done, happen, hear, info, offer,
    puppet_either_way, puppets, ready, test_with,
};
use crate::machine::{
    bee::{BeeEffect, BeeEvent, BeeMachine},
    parent::Dispatch,
    tests::sim::ANSWER,
};

/// Case G3: A bee that beats and does not answer an offer is killed, for that, and replaced.
#[test]
fn rule_17_a_bee_that_does_not_answer_an_offer_is_killed() {
    let mut sim = puppets(2, 1);
    let task = sim.delegate();
    sim.say(1, deny(task, 1));
    assert_eq!(sim.due_in(), Some(ANSWER));
    sim.pass(ANSWER - MOMENT);
    assert!(!sim.is_doomed(0));
    sim.pass(MOMENT);
    assert!(sim.is_doomed(0) && !sim.is_doomed(1));
    assert_eq!(sim.oracle.seen["a bee that owes an answer is killed"], 1);
    sim.lose(0);
    sim.pass(Duration::from_secs(1));
    assert_eq!(sim.bees(), [1, 2], "replaced");
    sim.say(2, ready(1));
    sim.say(2, accept(task, 2));
    sim.say(2, done(task, 2, 2));
    sim.assert_succeeded(&[task]);
}

#[test]
fn rule_17_every_answer_is_a_sign() {
    let mut sim = puppets(1, 8);
    let tasks = sim.delegate_all::<4>();
    for task in tasks {
        sim.pass(ANSWER - MOMENT);
        sim.say(0, accept(task, 1));
    }
    assert!(!sim.is_doomed(0));
}

/// Who is stopped can't answer until somebody lets it go on.
#[test]
fn rule_17_a_stopped_bee_owes_nothing() {
    let mut sim = puppets(1, 1);
    sim.delegate();
    sim.silence(0, true);
    sim.pass(10 * ANSWER);
    assert!(!sim.is_doomed(0));
    sim.silence(0, false);
    sim.pass(ANSWER - MOMENT);
    assert!(!sim.is_doomed(0));
    sim.pass(MOMENT);
    assert!(sim.is_doomed(0));
}

/// The parent was stopped itself: what the bee has said meanwhile is not read yet.
#[test]
fn rule_17_a_wait_that_is_late_itself_begins_once_more() {
    let mut sim = puppets(1, 1);
    sim.delegate();
    sim.pass(2 * ANSWER);
    assert!(!sim.is_doomed(0));
    assert_eq!(sim.due_in(), Some(ANSWER));
    sim.pass(2 * ANSWER);
    assert!(sim.is_doomed(0), "once");
}

/// Case G3: A bee that has tasks and says nothing is asked whether she hears, and killed if she does not answer.
#[test_with(puppet_either_way)]
fn rule_17_a_bee_that_says_nothing_is_asked_whether_she_hears(mut sim: Sim) {
    let task = sim.delegate();
    super::accept_if_asked(&mut sim, 0, task);
    for _ in 0..3 {
        sim.pass(ANSWER);
        assert_eq!(sim.last_told(0), "give_back 0");
        sim.say(0, FromBee::GaveBack { waiting: 0 });
        sim.forget();
    }
    sim.pass(ANSWER);
    sim.pass(ANSWER);
    assert!(sim.is_doomed(0), "she does not answer");
}

/// Case G4: A bee that is set up and does not say that she is ready is killed and replaced.
#[test]
fn rule_17_a_bee_that_is_never_ready_is_killed() {
    let by_hand = Nature {
        by_hand: true,
        ..Nature::of(1)
    };
    let mut sim = Sim::ready(config(Dispatch::Auction, 1), by_hand);
    sim.pass(ANSWER);
    assert!(sim.is_doomed(0));
}

/// Case G4: What a bee says before she is ready breaks the protocol, whatever it is.
#[test]
fn rule_18_nothing_comes_before_ready() {
    let (task_id, round) = (TaskId(0), Round(1));
    let progress = bytes::Bytes::new();
    let said = [
        accept(task_id, 1),
        deny(task_id, 1),
        done(task_id, 1, 0),
        FromBee::TaskProgress {
            task_id,
            round,
            progress,
        },
        FromBee::TaskReturned { task_id, round },
        FromBee::GaveBack { waiting: 0 },
        FromBee::Behind { waiting: 1 },
        FromBee::CaughtUp,
        FromBee::Dying,
        FromBee::Dead,
    ];
    for message in said {
        let by_hand = Nature {
            by_hand: true,
            ..Nature::of(1)
        };
        let mut sim = Sim::ready(config(Dispatch::Auction, 1), by_hand);
        sim.delegate();
        sim.say(0, message.clone());
        assert!(sim.is_doomed(0), "{message:?}");
    }
}

/// Case G4: What a bee says that is not its turn breaks the protocol.
#[test]
fn rule_18_nothing_is_said_out_of_turn() {
    let (task_id, round) = (TaskId(0), Round(1));
    let said = [
        ready(1),
        FromBee::Dying,
        FromBee::Dead,
        FromBee::TaskReturned { task_id, round },
        FromBee::GaveBack { waiting: 0 },
    ];
    for message in said {
        let mut sim = puppets(1, 1);
        let task = sim.delegate();
        sim.say(0, accept(task, 1));
        sim.say(0, message.clone());
        assert!(sim.is_doomed(0), "{message:?}");
        sim.say(0, done(task, 1, 0));
        assert_eq!(sim.ended(task), None, "{message:?}: she is not believed");
    }
}

/// Case G4: What a bee says of her end out of turn breaks the protocol: twice, with something left to do, or after it.
#[test]
fn rule_18_an_end_is_told_once() {
    let (task_id, round) = (TaskId(0), Round(1));
    let (dying, dead) = (FromBee::Dying, FromBee::Dead);
    let after = [
        dying.clone(),
        dead.clone(),
        deny(task_id, 1),
        done(task_id, 1, 0),
        FromBee::CaughtUp,
        FromBee::TaskReturned { task_id, round },
    ];
    let after_dead = after.into_iter().map(|word| (dead.clone(), word));
    for (first, second) in after_dead.chain([(dying.clone(), dying.clone())]) {
        let mut sim = puppets(1, 1);
        sim.bury(None);
        sim.say(0, first);
        assert!(!sim.is_doomed(0), "she may say so");
        sim.say(0, second.clone());
        assert!(sim.is_doomed(0), "{second:?}");
    }
    for word in [dying, dead] {
        let mut sim = puppets(1, 1);
        let task = sim.delegate();
        sim.say(0, accept(task, 1));
        sim.bury(None);
        sim.say(0, word.clone());
        assert!(sim.is_doomed(0), "{word:?}: she has a task");
    }
}

/// A bee's machine as far as that.
fn bee_that(is: &str) -> BeeMachine {
    let mut bee = bee_machine(Some(2));
    let before: &[ToBee] = match is {
        "has nothing" => &[],
        "wants a task" => &[offer(0)],
        "has a task" => &[info(0, 1)],
        "is to die" => &[info(0, 1), ToBee::Die],
        "buries her bees" => {
            bee = bee.with_children();
            &[ToBee::Die]
        }
        "is dead" => &[ToBee::Die],
        other => panic!("no bee {other}"),
    };
    for message in before {
        hear(&mut bee, message.clone());
    }
    if is.starts_with("buries") {
        happen(&mut bee, BeeEvent::Burying);
    }
    bee
}

/// What comes of a message.
fn comes_of(is: &str, message: ToBee) -> &'static str {
    let mut bee = bee_that(is);
    if bee.handle(BeeEvent::Said(message)).is_err() {
        assert_eq!(bee.poll_effect(), None, "nothing is done then");
        return "nonsense";
    }
    let effects: Vec<BeeEffect> = std::iter::from_fn(|| bee.poll_effect()).collect();
    match &effects[..] {
        [] => "-",
        [BeeEffect::Say(FromBee::TaskAccepted { .. })] => "wants",
        [BeeEffect::Say(FromBee::TaskDenied { .. })] => "denies",
        [BeeEffect::Start(_)] => "begins",
        [BeeEffect::Cancel(_)] => "cancels",
        [BeeEffect::GiveBack(_)] => "gives",
        [BeeEffect::Say(FromBee::Dead), BeeEffect::Exit] => "dies",
        other => panic!("{other:?}"),
    }
}

/// Case G4: Every message to a bee, in every phase in which it is not due, is refused, denied or without effect.
#[test]
fn rule_18_what_a_bee_is_told_out_of_turn() {
    const X: &str = "nonsense";
    const TABLE: [(&str, [&str; 6]); 6] = [
        ("has nothing", ["wants", X, "begins", "-", "dies", "gives"]),
        (
            "wants a task",
            ["wants", "-", "begins", "-", "dies", "gives"],
        ),
        ("has a task", ["wants", X, X, "cancels", "-", "gives"]),
        ("is to die", ["denies", "-", X, "cancels", "-", "gives"]),
        ("buries her bees", ["denies", "-", X, "-", "-", "gives"]),
        ("is dead", ["-"; 6]),
    ];
    let (task_id, round) = (TaskId(0), Round(1));
    for (is, expected) in TABLE {
        let told = [
            offer(5),
            ToBee::TaskTaken { task_id, round },
            info(0, 1),
            ToBee::TaskCancel { task_id, round },
            ToBee::Die,
            ToBee::GiveBack { most: 0 },
        ];
        assert_eq!(told.map(|message| comes_of(is, message)), expected, "{is}");
    }
}
