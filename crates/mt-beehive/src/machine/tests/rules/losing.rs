//! Rules 5 to 7 and 10: bees that die, before and after they were given a task.

use std::time::{Duration, Instant};

use mt_proto::{FromBee, TaskId};

use super::{
    LIMIT, Nature, Sim, accept, accept_if_asked, config, deny, done, either_way, half_answered,
    puppet_either_way, puppets, ready, test_with, with,
};
use crate::{
    error::CancelReason,
    machine::{
        parent::{BeeEnd, BeeId, Config, Dispatch, Event, ParentMachine},
        tests::sim::{CANCEL_GRACE, SUSPECT_GRACE, death, request},
    },
};

fn config_with_limit(dispatch: Dispatch, crash_limit: u32, bees: usize) -> Config {
    Config {
        crash_limit,
        ..config(dispatch, bees)
    }
}

/// Tells a story of a hive that gives a task up after so many deaths.
fn with_limit(crash_limit: u32, bees: usize, story: impl Fn(Sim)) {
    let made = |dispatch| {
        let config = config_with_limit(dispatch, crash_limit, bees);
        Sim::ready(config, Nature::of(4))
    };
    with(made, story);
}

/// A task was given up after so many deaths, and nobody has done it.
fn assert_lost(sim: &Sim, task: TaskId, attempts: u32) {
    let death = death();
    sim.assert_cancelled(task, CancelReason::WorkerLost { death, attempts }, None);
}

/// The parent kills the bee of a task that is past its deadline and does not let go.
fn overrun(sim: &mut Sim) {
    sim.pass(LIMIT);
    sim.pass(CANCEL_GRACE);
}

/// Case R23: A death costs a task nothing that the bee had only been offered.
#[test]
fn rule_05_a_bee_that_dies_before_she_has_the_task_costs_it_nothing() {
    let at_most_once = config_with_limit(Dispatch::Auction, 1, 2);
    let (mut sim, [first, second]) = half_answered(at_most_once);
    sim.lose(0);
    assert_eq!(sim.ended(first), Some("worker lost"), "it had begun");
    assert_eq!(sim.ended(second), None, "it had not");
    sim.say(1, accept(second, 1));
    sim.say(1, done(second, 1, 1));
    sim.assert_succeeded(&[second]);
}

#[test_with(with_limit, 1, 1)]
fn rule_05_the_task_is_pending_again_when_nobody_else_was_asked(mut sim: Sim) {
    sim.process(0).crash(0);
    let task = sim.delegate();
    let [pending, asked, owned] = sim.parent.census();
    assert_eq!(
        (pending, asked + owned),
        (0, 1),
        "with credit it was given away"
    );
    sim.settle();
    assert_eq!(sim.parent.census(), [1, 0, 0]);
    sim.pass(Duration::from_secs(1));
    sim.settle();
    assert_eq!(sim.doer(task), Some(1));
}

#[test_with(with_limit, 3, 1)]
fn rule_06_a_bee_that_dies_with_the_task_costs_it_an_attempt(mut sim: Sim) {
    let task = sim.delegate();
    for bee in 0..3 {
        sim.settle();
        assert_eq!((sim.doer(task), sim.ended(task)), (Some(bee), None));
        sim.lose(bee);
    }
    assert_lost(&sim, task, 3);
}

#[test_with(with_limit, 3, 1)]
fn rule_06_another_attempt_may_succeed(mut sim: Sim) {
    let task = sim.delegate();
    for bee in 0..2 {
        sim.settle();
        sim.lose(bee);
    }
    sim.settle();
    sim.finish(task);
    sim.assert_succeeded(&[task]);
    assert_eq!(sim.oracle.seen["a retry that succeeds"], 1);
}

#[test_with(with_limit, 1, 1)]
fn rule_06_at_most_once(mut sim: Sim) {
    let [task] = sim.begin();
    sim.lose(0);
    assert_lost(&sim, task, 1);
}

/// Tasks that were on their way, or waited for the bee's thread.
///
/// Case G2: A task whose bee has died before it was begun is not charged, and is begun elsewhere also with a limit of
/// one death.
#[test_with(with_limit, 1, 1)]
fn rule_06_what_was_not_begun_is_not_charged(mut sim: Sim) {
    sim.process(0).hold(true);
    let [begun, waits, waits_too] = sim.begin();
    sim.lose(0);
    assert_lost(&sim, begun, 1);
    sim.settle();
    for task in [waits, waits_too] {
        assert_eq!(sim.doer(task), Some(1));
        sim.finish(task);
    }
    sim.assert_succeeded(&[waits, waits_too]);
    assert_eq!(sim.oracle.seen["a task was not begun when its bee died"], 2);
}

/// Nothing can be blamed for such a death but the bee.
#[test_with(with_limit, 1, 1)]
fn rule_06_a_death_before_anything_was_begun_counts_against_bees(mut sim: Sim) {
    for bee in 0..4 {
        sim.delegate();
        sim.lose(bee);
        sim.pass(Duration::from_secs(1));
    }
    assert_eq!(sim.oracle.in_vain, 4);
    assert_eq!(
        sim.oracle
            .ends
            .values()
            .filter(|end| end.how == "no workers")
            .count(),
        4
    );
}

#[test_with(with_limit, 2, 1)]
fn rule_06_other_tasks_that_were_done_there_are_begun_again(mut sim: Sim) {
    let tasks = sim.begin::<3>();
    sim.end(tasks[0]);
    sim.lose(0);
    sim.assert_succeeded(&tasks[..1]);
    sim.settle();
    for &task in &tasks[1..] {
        sim.finish(task);
    }
    sim.assert_succeeded(&tasks);
}

/// The tasks that a bee had when it died are begun again a few at once, and at last each alone: nobody is
/// given up for what another one does.
///
/// Case H61: A task that kills its bees takes no other along: in its last attempt each is alone in a bee.
#[test]
fn rule_06_a_task_that_kills_takes_nobody_along() {
    for bees in [1, 3] {
        let made = |dispatch| {
            let mut config = config(dispatch, bees);
            config.restarts.limit = 100;
            Sim::ready(config, Nature::of(64))
        };
        with(made, |mut sim| {
            let tasks = sim.delegate_all::<200>();
            let poison = tasks[33];
            for _ in 0..10_000 {
                sim.settle();
                if let Some(bee) = sim.doer(poison) {
                    sim.lose(bee);
                } else if let Some(&task) = tasks.iter().find(|&&task| sim.doer(task).is_some()) {
                    sim.end(task);
                }
            }
            assert_lost(&sim, poison, 3);
            sim.assert_succeeded(&tasks[..33]);
            sim.assert_succeeded(&tasks[34..]);
        });
    }
}

/// While suspects wait for a bee of their own, others go on.
#[test_with(with_limit, 2, 2)]
fn rule_06_others_go_on_beside_suspects(mut sim: Sim) {
    let [suspect] = sim.begin();
    sim.lose(0);
    let others = sim.begin::<8>();
    let bee = sim.doer(suspect).expect("it has a bee");
    let doers = others.map(|other| sim.doer(other));
    assert!(!doers.contains(&Some(bee)), "of its own");
    assert!(doers.iter().any(Option::is_some));
    for task in others.into_iter().chain([suspect]) {
        sim.settle();
        sim.end(task);
    }
}

/// When the parent kills a bee for one task, the others are not charged.
#[test_with(with_limit, 2, 1)]
fn rule_06_deliberate_stops_are_not_charged(mut sim: Sim) {
    let neighbour = sim.delegate();
    for bee in 0..5 {
        let slow = sim.begin_within(LIMIT);
        overrun(&mut sim);
        sim.lose(bee);
        assert_eq!(sim.ended(slow), Some("deadline"));
        sim.settle();
    }
    sim.finish(neighbour);
    sim.assert_succeeded(&[neighbour]); // begun 6 times
}

/// Not charged would mean begun again.
#[test_with(with_limit, 1, 1)]
fn rule_06_at_most_once_holds_for_those_who_are_not_to_blame(mut sim: Sim) {
    let neighbour = sim.delegate();
    sim.begin_within(LIMIT);
    overrun(&mut sim);
    sim.lose(0);
    assert_lost(&sim, neighbour, 1);
}

#[test_with(either_way, 1, 1)]
fn rule_07_a_killed_bee_need_not_say_so(mut sim: Sim) {
    let [task] = sim.begin();
    sim.lose(0);
    assert_eq!(sim.bees(), [1], "replaced");
    sim.settle();
    assert_eq!(sim.doer(task), Some(1), "begun again");
}

#[test_with(puppet_either_way)]
fn rule_07_the_message_and_the_exit_are_one_death(mut sim: Sim) {
    let task = sim.delegate();
    for bee in 0..3 {
        if bee > 0 {
            sim.say(bee, ready(1));
        }
        accept_if_asked(&mut sim, bee, task);
        assert_eq!(sim.ended(task), None, "attempt {bee} of three");
        sim.say(bee, FromBee::Dead);
        assert_eq!(sim.bees(), [bee], "it is not reaped");
        sim.lose(bee);
        assert_eq!(sim.bees(), [bee + 1], "one for one");
    }
    assert_lost(&sim, task, 3);
}

#[test_with(with_limit, 1, 1)]
fn rule_07_what_was_said_before_the_end_counts(mut sim: Sim) {
    let [task] = sim.begin();
    sim.end(task);
    sim.process(0).crash(1);
    sim.settle();
    sim.assert_succeeded(&[task]);
}

/// A stopped bee may wake when it is given up: so it is killed, and nobody else is asked before it is gone.
#[test_with(either_way, 2, 3)]
fn rule_10_a_bee_is_gone_before_her_tasks_are_given_away(mut sim: Sim) {
    let slow = sim.begin_within(LIMIT);
    let owner = sim.doer(slow).unwrap();
    // Two more, so that one of them is the owner's.
    let others = sim.begin::<2>().into_iter();
    let mut with_it = others.filter(|&task| sim.doer(task) == Some(owner));
    let with_it = with_it.next().unwrap();
    overrun(&mut sim);
    assert!(sim.is_doomed(owner), "she is to be killed");
    sim.settle();
    assert_eq!((sim.ended(slow), sim.ended(with_it)), (None, None));
    assert_eq!(sim.doer(with_it), Some(owner), "she still has it");
    // She wakes, and tells of both.
    sim.end(slow);
    sim.finish(with_it);
    assert_eq!([slow, with_it].map(|task| sim.ended(task)), [None; 2]);
    assert_eq!(sim.oracle.seen["a fenced late result"], 2);
    sim.lose(owner);
    assert_eq!(sim.ended(slow), Some("deadline"));
    sim.settle();
    assert_ne!(sim.doer(with_it), None, "begun again");
}

#[test]
fn rule_10_a_bee_that_is_killed_gets_nothing_she_wanted() {
    let mut sim = puppets(2, 4);
    let slow = sim.delegate_within(Some(LIMIT));
    sim.say(0, accept(slow, 1));
    sim.say(1, accept(slow, 1));
    let wanted = sim.delegate();
    // Bee 1 has less to do and is waited for.
    sim.say(0, accept(wanted, 1));
    overrun(&mut sim);
    assert!(sim.is_doomed(0));
    sim.forget();
    sim.say(1, deny(wanted, 1));
    assert_eq!(sim.told(0), [""; 0]);
    assert_eq!(sim.told(1), ["new_task 1/2"], "nobody else is there");
}

/// Nobody waits for a bee that is being killed.
#[test]
fn rule_10_an_accept_is_answered_although_a_bee_that_was_asked_is_killed() {
    let mut sim = puppets(2, 4);
    let slow = sim.delegate_within(Some(LIMIT));
    sim.say(0, accept(slow, 1));
    sim.say(1, deny(slow, 1));
    for task in sim.delegate_all::<3>() {
        sim.say(1, accept(task, 1));
    }
    // Bee 0 has one task, bee 1 has two.
    assert_eq!(sim.last_told(1), "task_info 2/1");
    overrun(&mut sim);
    assert!(sim.is_doomed(0));
    assert_eq!(sim.last_told(1), "task_info 3/1");
}

/// Tasks may go on for ever, and bees that have some never finish what they have.
#[test_with(either_way, 2, 64)]
fn rule_06_bees_that_never_finish_are_not_kept_for_suspects(mut sim: Sim) {
    let endless = sim.begin::<32>();
    sim.lose(0);
    sim.settle();
    let [task] = sim.begin();
    assert_eq!(sim.doer(task), Some(1));
    sim.finish(task);
    sim.assert_succeeded(&[task]);
    let doers = endless.map(|task| sim.doer(task));
    let suspects = doers.iter().filter(|&&bee| bee == Some(2));
    assert_eq!(suspects.count(), 4, "of the sixteen that were hers");
}

/// Suspects that never end are joined by others when they have run for so long: first by suspects, at last by all.
///
/// Case G6: In a hive of one bee nothing waits for ever for tasks that have seen a death and never end.
#[test_with(either_way, 1, 64)]
fn rule_06_nobody_waits_for_ever_for_suspects_that_never_end(mut sim: Sim) {
    let endless = sim.begin::<16>();
    sim.lose(0);
    sim.settle();
    let [other] = sim.begin();
    let begun = |sim: &Sim| {
        endless
            .iter()
            .filter(|&&task| sim.doer(task).is_some())
            .count()
    };
    assert_eq!((begun(&sim), sim.doer(other)), (4, None));
    for all in [8, 12, 16] {
        assert_eq!(sim.due_in(), Some(SUSPECT_GRACE));
        sim.pass(SUSPECT_GRACE);
        sim.settle();
        assert_eq!(begun(&sim), all);
    }
    assert_eq!(sim.doer(other), None, "the last ones are still apart");
    sim.pass(SUSPECT_GRACE);
    sim.settle();
    assert_eq!(sim.doer(other), Some(1));
    sim.finish(other);
    sim.assert_succeeded(&[other]);
}

/// The same in a bee that has tasks which never end and have seen nothing: it is all there is.
///
/// Case G6: A suspect gets a bee also when all that are left have tasks that never end.
#[test_with(either_way, 2, 64)]
fn rule_06_a_suspect_does_not_wait_for_ever_for_an_empty_bee(mut sim: Sim) {
    let endless = sim.begin::<2>();
    sim.bury(None);
    let lost = sim.process(0).running.len() == 1;
    assert!(lost, "one each");
    sim.lose(0);
    sim.settle();
    let waits = endless.into_iter().find(|&task| sim.doer(task).is_none());
    let Some(waits) = waits else {
        return; // it has a bee of its own
    };
    sim.pass(SUSPECT_GRACE);
    sim.settle();
    assert_eq!(sim.doer(waits), Some(1));
}

/// A poison that kills when others have long joined it: after each death it is alone for twice as long.
///
/// Case G6: A task that kills late is given up, and at most one task for each death.
#[test_with(with_limit, 2, 1)]
fn rule_06_a_task_that_kills_late_is_found_too(mut sim: Sim) {
    let tasks = sim.begin::<4>();
    let poison = tasks[1];
    let latency = 3 * SUSPECT_GRACE;
    let (mut since, mut deaths) = (0, 1);
    for _ in 0..10_000 {
        sim.settle();
        since = sim.doer(poison).map_or(0, |_| since + 1);
        if sim.ended(poison).is_some() {
            break;
        }
        sim.pass(Duration::from_secs(1));
        if Duration::from_secs(since) >= latency
            && let Some(bee) = sim.doer(poison)
        {
            sim.lose(bee);
            (since, deaths) = (0, deaths + 1);
        }
    }
    assert_lost(&sim, poison, 2);
    let lost = tasks.iter().filter(|&&task| sim.ended(task).is_some());
    assert!(lost.count() < deaths, "the first costs none");
}

/// A bee without a limit may have tens of thousands. They are not compared each with each when it dies.
#[test]
fn a_great_many_tasks_are_lost_and_taken_back() {
    let kinds = [
        (Dispatch::Credit, false),
        (Dispatch::Auction, false),
        (Dispatch::Auction, true),
    ];
    for (dispatch, accepts) in kinds {
        let mut parent = ParentMachine::new(config(dispatch, 1));
        let now = Instant::now();
        let tasks = (0..60_000).map(|_| parent.delegate(now, request(None)));
        let tasks: Vec<_> = tasks.collect();
        let tell = |parent: &mut ParentMachine, event| {
            parent.handle(now, event);
            parent.settle(now);
            while parent.poll_effect().is_some() {}
            parent.census()
        };
        tell(&mut parent, Event::Tick);
        let ready = FromBee::Ready {
            max_concurrency: None,
        };
        assert_eq!(tell(&mut parent, Event::Said(BeeId(0), ready))[0], 0);
        for &task in tasks.iter().filter(|_| accepts) {
            parent.handle(now, Event::Said(BeeId(0), accept(task, 1)));
        }
        let end = BeeEnd {
            death: death(),
            started: u64::MAX,
            died_first: false,
            unmade: None,
        };
        let gone = Event::Gone(BeeId(0), end);
        assert_eq!(tell(&mut parent, gone), [60_000, 0, 0], "{dispatch:?}");
        for &task in tasks.iter().rev() {
            parent.handle(now, Event::Drop(task));
        }
        assert_eq!(parent.census(), [0; 3]);
    }
}
