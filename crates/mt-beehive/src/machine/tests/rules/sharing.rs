//! Rule 16: what waits for a thread that is held goes to whoever is free.

use mt_proto::{FromBee, Round, TaskId, ToBee};

use super::{
    LIMIT, Nature, Sim, accept, bee_machine, config, deny, either_way, happen, hear, hive, info,
    offer, test_with, with,
};
use crate::machine::{
    bee::{BeeEffect, BeeEvent},
    parent::{Dispatch, Event},
};

/// How many tasks wait for the thread of a bee.
fn waiting(sim: &mut Sim, bee: u32) -> usize {
    sim.process(bee).waiting.len()
}

/// What a bee was asked to give back, so far.
fn asked_back(sim: &Sim, bee: u32) -> Vec<u32> {
    let told = sim.told.iter().filter(|(whom, _)| whom.0 == bee);
    told.filter_map(|(_, message)| match message {
        ToBee::GiveBack { most } => Some(*most),
        _ => None,
    })
    .collect()
}

/// The case that was seen: five hundred waited behind one that was blocked, and a bee that was free had nothing to do.
///
/// Case 33: What waits behind a blocked bee is begun by one that is free.
#[test_with(either_way, 2, 64)]
fn rule_16_what_waits_behind_one_goes_to_the_other(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<20>();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 10], 9));
    sim.fall_behind(0);
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 19], 0));
    assert_eq!(asked_back(&sim, 0), [5, 2, 1, 1], "half of what is left");
    sim.forget();
    let [next] = sim.begin();
    assert_eq!(
        (sim.doer(next), sim.told(0).len()),
        (Some(1), 0),
        "nor more"
    );
    sim.process(0).hold(false);
    sim.settle();
    let [then] = sim.begin();
    assert_eq!(sim.doer(then), Some(0), "who has least to do again");
    for task in tasks {
        sim.finish(task);
    }
    sim.assert_succeeded(&tasks);
}

/// Nobody else would begin them sooner. What comes meanwhile waits for whoever is free first.
///
/// Case 33: A bee alone keeps what waits for her thread, and a bee that joins takes of it.
#[test_with(either_way, 1, 64)]
fn rule_16_one_alone_keeps_what_waits_until_another_joins(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<9>();
    sim.fall_behind(0);
    let later = sim.begin::<2>();
    assert_eq!(asked_back(&sim, 0), [0; 0]);
    assert_eq!((waiting(&mut sim, 0), sim.parent.census()), (8, [2, 0, 9]));
    sim.spawn();
    sim.settle();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 10], 0));
    for task in tasks.into_iter().chain(later) {
        sim.finish(task);
    }
}

/// Both are behind: neither could do anything of the other's. When one has caught up they share what is left.
#[test_with(either_way, 2, 64)]
fn rule_16_who_has_caught_up_takes_half_of_what_waits_elsewhere(mut sim: Sim) {
    for bee in [0, 1] {
        sim.process(bee).hold(true);
    }
    sim.begin::<20>();
    for bee in [0, 1] {
        sim.process(bee).fall_behind();
        sim.listen(bee);
    }
    sim.settle();
    // Bee 0 was asked for half before it was known of bee 1; that waits for whoever is first.
    assert_eq!((waiting(&mut sim, 0), waiting(&mut sim, 1)), (4, 9));
    assert_eq!(sim.parent.census(), [5, 0, 15]);
    sim.process(1).hold(false);
    sim.settle();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 19], 0));
}

/// The first task had to wait for a thread that was slow to wake. Once it is begun nothing waits, however long it holds
/// the thread: what is delegated then is given, and is given back when that has waited in turn.
#[test_with(either_way, 1, 64)]
fn rule_16_who_was_slow_to_begin_is_not_behind_for_as_long_as_that_takes(mut sim: Sim) {
    sim.process(0).hold(true);
    sim.process(0).asleep = true;
    sim.begin::<1>();
    sim.fall_behind(0);
    sim.process(0).take_one();
    sim.process(0).take_answer();
    sim.settle();
    let later = sim.begin::<3>();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1], 3));
    sim.fall_behind(0);
    sim.spawn();
    sim.settle();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 3], 0));
    for task in later {
        sim.finish(task);
    }
}

/// The session is slow, too: it finds that tasks wait again before it has taken in that none did. The parent must not
/// hear last that none waits.
#[test]
fn rule_16_who_is_behind_again_does_not_say_that_she_has_caught_up() {
    let mut sim = hive(Dispatch::Credit, 2, 64);
    sim.process(0).hold(true);
    sim.process(0).asleep = true;
    sim.delegate();
    sim.process(0).hear();
    sim.process(0).fall_behind();
    sim.process(0).take_one();
    // The parent has not heard of it yet.
    sim.delegate_all::<4>();
    while sim.process(0).hear() {}
    assert_eq!(waiting(&mut sim, 0), 2);
    sim.process(0).fall_behind();
    assert!(sim.process(0).take_answer());
    sim.settle();
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 4], 0));
}

/// No more than there are places for.
#[test_with(either_way, 2, 4)]
fn rule_16_no_more_is_asked_for_than_there_are_places_elsewhere(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<8>();
    sim.fall_behind(0);
    assert_eq!(asked_back(&sim, 0), [0; 0], "the other is full");
    let hers = tasks.into_iter().find(|&task| sim.doer(task) == Some(1));
    sim.finish(hers.unwrap());
    assert_eq!((asked_back(&sim, 0), waiting(&mut sim, 0)), (vec![1], 2));
}

/// What was given back was not begun: with a limit of one death it is begun elsewhere all the same, as its first
/// attempt.
#[test]
fn rule_16_what_was_given_back_is_begun_for_the_first_time() {
    let made = |dispatch| {
        let config = super::Config {
            crash_limit: 1,
            ..config(dispatch, 2)
        };
        Sim::ready(config, Nature::of(64))
    };
    with(made, |mut sim| {
        sim.process(0).hold(true);
        sim.begin::<20>();
        sim.forget();
        sim.fall_behind(0);
        let attempts = sim.told.iter().filter_map(|(_, told)| match told {
            ToBee::TaskInfo(info) => Some(info.attempt),
            _ => None,
        });
        assert_eq!(attempts.collect::<Vec<_>>(), [1; 9]);
    });
}

/// A dying bee takes nothing new, but what others could begin need not wait for it.
#[test_with(either_way, 2, 64)]
fn rule_16_one_that_was_told_to_die_gives_back_too(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<20>();
    sim.bury(0);
    sim.settle();
    sim.fall_behind(0);
    assert_eq!((sim.shares(), waiting(&mut sim, 0)), (vec![1, 19], 0));
    for task in tasks {
        sim.finish(task);
    }
    assert_eq!(sim.bees(), [1], "and goes");
}

/// A task whose delegate was dropped while it was on its way back is over.
#[test_with(either_way, 2, 64)]
fn rule_16_what_was_cancelled_on_its_way_back_ends(mut sim: Sim) {
    sim.process(0).hold(true);
    let tasks = sim.begin::<4>();
    let hers = tasks.into_iter().filter(|&task| sim.process(0).has(task));
    let last = hers.last().unwrap();
    sim.process(0).fall_behind();
    sim.listen(0);
    assert_eq!(asked_back(&sim, 0), [1]);
    sim.cancel(last);
    sim.settle();
    assert_eq!(sim.ended(last), Some("dropped"));
}

/// Nothing is begun any more, so nobody is asked.
#[test_with(either_way, 2, 64)]
fn rule_16_an_interrupted_hive_takes_nothing_back(mut sim: Sim) {
    sim.process(0).hold(true);
    sim.begin::<20>();
    sim.tell(Event::Interrupt);
    sim.fall_behind(0);
    assert_eq!((asked_back(&sim, 0), waiting(&mut sim, 0)), (vec![], 9));
}

/// The deadline of a task that was not begun ends it at once: no thread has to let go of it.
#[test_with(either_way, 1, 64)]
fn rule_11_what_waits_for_a_held_thread_ends_without_a_death(mut sim: Sim) {
    sim.process(0).hold(true);
    let [_, _] = sim.begin();
    let late = sim.begin_within(LIMIT);
    sim.pass(LIMIT);
    sim.settle();
    assert_eq!((sim.ended(late), sim.bees()), (Some("deadline"), vec![0]));
}

#[test]
fn rule_16_a_bee_that_is_behind_wants_nothing_until_she_has_caught_up() {
    let mut bee = bee_machine(Some(8));
    hear(&mut bee, info(0, 1));
    hear(&mut bee, info(1, 1));
    let says = |message| [BeeEffect::Say(message)];
    let behind = FromBee::Behind { waiting: 1 };
    assert_eq!(happen(&mut bee, BeeEvent::Behind(1)), says(behind));
    assert_eq!(happen(&mut bee, BeeEvent::Behind(1)), [], "said once");
    assert_eq!(hear(&mut bee, offer(7)), says(deny(TaskId(7), 1)));
    let asks = ToBee::GiveBack { most: 3 };
    assert_eq!(hear(&mut bee, asks), [BeeEffect::GiveBack(3)]);
    let gave = happen(&mut bee, BeeEvent::GaveBack(vec![TaskId(1)], 0));
    let (task_id, round) = (TaskId(1), Round(1));
    let returned = FromBee::TaskReturned { task_id, round };
    let said = [returned, FromBee::GaveBack { waiting: 0 }].map(BeeEffect::Say);
    assert_eq!(gave, said);
    assert_eq!(bee.places_taken(), 1, "a place is free");
    let caught_up = happen(&mut bee, BeeEvent::CaughtUp);
    assert_eq!(caught_up, says(FromBee::CaughtUp));
    assert_eq!(hear(&mut bee, offer(8)), says(accept(TaskId(8), 1)));
}
