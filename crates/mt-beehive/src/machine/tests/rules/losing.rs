//! Rules 5 to 7 and 10: bees that die, before and after they were given a task.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mt_pool::RestartBudget;
use mt_proto::{DeathType, FromBee};

use super::{BOTH, Sim, accept, config, deny, done, hive, puppets};
use crate::machine::{
    parent::{ChildId, Config, Dispatch, Event, ParentMachine, Request},
    tests::{process::Nature, sim::CANCEL_GRACE},
};

const LIMIT: Duration = Duration::from_millis(500);

/// A hive that gives a task up after so many deaths.
fn with_limit(dispatch: Dispatch, crash_limit: u32, bees: usize) -> Sim {
    let config = Config {
        crash_limit,
        ..config(dispatch, bees)
    };
    Sim::ready(config, Nature::of(4))
}

#[test]
fn rule_05_a_bee_that_dies_before_she_has_the_task_costs_it_nothing() {
    let at_most_once = Config {
        crash_limit: 1,
        ..config(Dispatch::Auction, 2)
    };
    let mut sim = puppets(at_most_once, 2, 4);
    let first = sim.delegate();
    sim.say(0, accept(first, 1));
    sim.say(1, accept(first, 1));
    // Bee 0 has more to do than bee 1, who has not answered: so nobody has it yet.
    let second = sim.delegate();
    sim.say(0, accept(second, 1));
    assert_eq!(sim.told(0).last().unwrap(), "new_task 1/1");
    sim.lose(ChildId(0));
    assert_eq!(sim.ended(first), Some("worker_lost"), "it had begun");
    assert_eq!(sim.ended(second), None, "it had not");
    sim.say(1, accept(second, 1));
    sim.say(1, done(second, 1, 1));
    assert_eq!(sim.ended(second), Some("succeeded"));
}

#[test]
fn rule_05_the_task_is_pending_again_when_nobody_else_was_asked() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 1, 1);
        sim.process(ChildId(0)).crash(0);
        let task = sim.delegate();
        let [pending, offered, owned] = sim.parent.census();
        let asked = usize::from(dispatch == Dispatch::Auction);
        assert_eq!([pending, offered, owned], [0, asked, 1 - asked]);
        sim.settle();
        if dispatch == Dispatch::Auction {
            assert_eq!(sim.parent.census(), [1, 0, 0]);
            sim.pass(Duration::from_secs(1));
            sim.settle();
            assert_eq!(sim.doer(task), Some(ChildId(1)));
        } else {
            // It was given away: rule 6.
            assert_eq!(sim.ended(task), Some("worker_lost"));
        }
    }
}

#[test]
fn rule_06_a_bee_that_dies_with_the_task_costs_it_an_attempt() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 3, 1);
        let task = sim.delegate();
        for bee in 0..3 {
            sim.settle();
            assert_eq!(
                (sim.doer(task), sim.ended(task)),
                (Some(ChildId(bee)), None)
            );
            sim.lose(ChildId(bee));
        }
        let end = sim.end_of(task).unwrap();
        let reason = "worker_lost: killed by signal 9 (attempts: 3)";
        assert_eq!((end.reason.as_str(), end.child), (reason, None));
    }
}

#[test]
fn rule_06_another_attempt_may_succeed() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 3, 1);
        let task = sim.delegate();
        for bee in 0..2 {
            sim.settle();
            sim.lose(ChildId(bee));
        }
        sim.settle();
        sim.end(task);
        sim.settle();
        assert_eq!(sim.ended(task), Some("succeeded"));
        assert_eq!(sim.oracle.seen["a retry that succeeds"], 1);
    }
}

#[test]
fn rule_06_at_most_once() {
    for (dispatch, limit) in [(BOTH[0], 0), (BOTH[0], 1), (BOTH[1], 0), (BOTH[1], 1)] {
        let mut sim = with_limit(dispatch, limit, 1);
        let task = sim.delegate();
        sim.settle();
        sim.lose(ChildId(0));
        let end = sim.end_of(task).expect("given up at once");
        assert!(end.reason.contains("(attempts: 1)"), "{limit}: {end:?}");
    }
}

#[test]
fn rule_06_other_tasks_that_were_done_there_are_begun_again() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 2, 1);
        let tasks: Vec<_> = (0..3).map(|_| sim.delegate()).collect();
        sim.settle();
        sim.end(tasks[0]);
        sim.lose(ChildId(0));
        assert_eq!(sim.ended(tasks[0]), Some("succeeded"), "said before");
        sim.settle();
        for &task in &tasks[1..] {
            sim.end(task);
            sim.settle();
        }
        assert!(
            tasks
                .iter()
                .all(|&task| sim.ended(task) == Some("succeeded"))
        );
    }
}

/// The tasks that a bee had when she died are begun again a few at once, and at last each alone: nobody is
/// given up for what another one does.
#[test]
fn rule_06_a_task_that_kills_takes_nobody_along() {
    for (dispatch, bees) in [(BOTH[0], 1), (BOTH[0], 3), (BOTH[1], 1), (BOTH[1], 3)] {
        let config = Config {
            restarts: RestartBudget {
                limit: 100,
                ..config(dispatch, bees).restarts
            },
            ..config(dispatch, bees)
        };
        let mut sim = Sim::ready(config, Nature::of(64));
        let tasks: Vec<_> = (0..200).map(|_| sim.delegate()).collect();
        let poison = tasks[33];
        for _ in 0..10_000 {
            sim.settle();
            if let Some(bee) = sim.doer(poison) {
                sim.lose(bee);
            } else if let Some(&task) = tasks.iter().find(|&&task| sim.doer(task).is_some()) {
                sim.end(task);
            }
        }
        for &task in &tasks {
            let expected = if task == poison {
                "worker_lost"
            } else {
                "succeeded"
            };
            assert_eq!(sim.ended(task), Some(expected), "{task:?}");
        }
    }
}

/// While suspects wait for a bee of their own, others go on.
#[test]
fn rule_06_others_go_on_beside_suspects() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 2, 2);
        let suspect = sim.delegate();
        sim.settle();
        sim.lose(ChildId(0));
        let others: Vec<_> = (0..8).map(|_| sim.delegate()).collect();
        sim.settle();
        let bee = sim.doer(suspect).expect("it has a bee");
        let beside = others.iter().filter(|&&other| sim.doer(other) == Some(bee));
        assert_eq!(beside.count(), 0, "of its own");
        assert!(others.iter().any(|&other| sim.doer(other).is_some()));
        for task in others.into_iter().chain([suspect]) {
            sim.settle();
            sim.end(task);
        }
    }
}

/// When the parent kills a bee for one task, the others are not charged.
#[test]
fn rule_06_deliberate_stops_are_not_charged() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 2, 1);
        let neighbour = sim.delegate();
        for bee in 0..5 {
            let slow = sim.delegate_within(Some(LIMIT));
            sim.settle();
            sim.pass(LIMIT);
            sim.pass(CANCEL_GRACE);
            sim.lose(ChildId(bee));
            assert_eq!(sim.ended(slow), Some("deadline"));
            sim.settle();
        }
        sim.end(neighbour);
        sim.settle();
        assert_eq!(sim.ended(neighbour), Some("succeeded"), "begun 6 times");
    }
}

/// Not charged would mean begun again.
#[test]
fn rule_06_at_most_once_holds_for_those_who_are_not_to_blame() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 1, 1);
        let neighbour = sim.delegate();
        sim.delegate_within(Some(LIMIT));
        sim.settle();
        sim.pass(LIMIT);
        sim.pass(CANCEL_GRACE);
        sim.lose(ChildId(0));
        assert_eq!(sim.ended(neighbour), Some("worker_lost"), "{dispatch:?}");
    }
}

#[test]
fn rule_07_a_killed_bee_need_not_say_so() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.lose(ChildId(0));
        assert_eq!(sim.children(), [ChildId(1)], "replaced");
        sim.settle();
        assert_eq!(sim.doer(task), Some(ChildId(1)), "begun again");
    }
}

#[test]
fn rule_07_the_message_and_the_exit_are_one_death() {
    for dispatch in BOTH {
        let mut sim = puppets(config(dispatch, 1), 1, 1);
        let task = sim.delegate();
        if dispatch == Dispatch::Auction {
            sim.say(0, accept(task, 1));
        }
        let exception = "it has had enough".to_owned();
        let traceback = Vec::new();
        let killed = DeathType::Killed {
            exception,
            traceback,
        };
        sim.say(0, FromBee::Dead(killed));
        assert_eq!(sim.children(), [ChildId(0)], "it is not reaped");
        sim.lose(ChildId(0));
        assert_eq!(sim.children(), [ChildId(1)], "one for one");
        assert_eq!(sim.ended(task), None, "one attempt of three");
        for bee in [1, 2] {
            sim.say(
                bee,
                FromBee::Ready {
                    max_concurrency: Some(1),
                },
            );
            if dispatch == Dispatch::Auction {
                sim.say(bee, accept(task, 1 + bee));
            }
            if bee == 2 {
                let exception = "it has had enough".to_owned();
                let traceback = Vec::new();
                sim.say(
                    2,
                    FromBee::Dead(DeathType::Killed {
                        exception,
                        traceback,
                    }),
                );
            }
            sim.lose(ChildId(bee));
        }
        let end = sim.end_of(task).unwrap();
        let said = "worker_lost: it has had enough (attempts: 3)";
        assert_eq!(end.reason, said, "what it said is more than the exit tells");
    }
}

#[test]
fn rule_07_what_was_said_before_the_end_counts() {
    for dispatch in BOTH {
        let mut sim = with_limit(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.end(task);
        sim.process(ChildId(0)).crash(1);
        sim.settle();
        assert_eq!(sim.ended(task), Some("succeeded"), "{dispatch:?}");
    }
}

/// A stopped bee may wake when she is given up: so she is killed, and nobody else is asked before she is gone.
#[test]
fn rule_10_a_bee_is_gone_before_her_tasks_are_given_away() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 3);
        let slow = sim.delegate_within(Some(LIMIT));
        sim.settle();
        let owner = sim.doer(slow).unwrap();
        // Two more, so that one of them is the owner's.
        let others = [sim.delegate(), sim.delegate()];
        sim.settle();
        let with_it = others
            .into_iter()
            .find(|&task| sim.doer(task) == Some(owner))
            .unwrap();
        sim.pass(LIMIT);
        sim.pass(CANCEL_GRACE);
        assert!(sim.process(owner).doomed, "she is to be killed");
        sim.settle();
        assert_eq!((sim.ended(slow), sim.ended(with_it)), (None, None));
        assert_eq!(sim.doer(with_it), Some(owner), "she still has it");
        // She wakes, and tells of both.
        sim.end(slow);
        sim.end(with_it);
        sim.settle();
        assert_eq!(
            (sim.ended(slow), sim.ended(with_it)),
            (None, None),
            "fenced"
        );
        assert_eq!(sim.oracle.seen["a fenced late result"], 2);
        sim.lose(owner);
        assert_eq!(sim.ended(slow), Some("deadline"));
        sim.settle();
        assert_ne!(sim.doer(with_it), None, "begun again");
    }
}

#[test]
fn rule_10_a_bee_that_is_killed_gets_nothing_she_wanted() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 4);
    let slow = sim.delegate_within(Some(LIMIT));
    sim.say(0, accept(slow, 1));
    sim.say(1, accept(slow, 1));
    let wanted = sim.delegate();
    // Bee 1 has less to do and is waited for.
    sim.say(0, accept(wanted, 1));
    sim.pass(LIMIT);
    sim.pass(CANCEL_GRACE);
    assert!(sim.process(ChildId(0)).doomed);
    sim.forget();
    sim.say(1, deny(wanted, 1));
    assert_eq!(sim.told(0), [""; 0]);
    assert_eq!(sim.told(1), ["new_task 1/2"], "nobody else is there");
}

/// Nobody waits for a bee that is being killed.
#[test]
fn rule_10_an_accept_is_answered_although_a_bee_that_was_asked_is_killed() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 4);
    let slow = sim.delegate_within(Some(LIMIT));
    sim.say(0, accept(slow, 1));
    sim.say(1, deny(slow, 1));
    let [second, third, fourth] = [sim.delegate(), sim.delegate(), sim.delegate()];
    sim.say(1, accept(second, 1));
    sim.say(1, accept(third, 1));
    sim.say(1, accept(fourth, 1));
    // Bee 0 has one task, bee 1 has two.
    assert_eq!(sim.told(1).last().unwrap(), "task_info 2/1");
    sim.pass(LIMIT);
    sim.pass(CANCEL_GRACE);
    assert!(sim.process(ChildId(0)).doomed);
    assert_eq!(sim.told(1).last().unwrap(), "task_info 3/1");
}

/// Tasks may go on for ever, and bees that have some never finish what they have.
#[test]
fn rule_06_bees_that_never_finish_are_not_kept_for_suspects() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 64);
        let endless: Vec<_> = (0..32).map(|_| sim.delegate()).collect();
        sim.settle();
        sim.lose(ChildId(0));
        sim.settle();
        let task = sim.delegate();
        sim.settle();
        assert_eq!(sim.doer(task), Some(ChildId(1)), "{dispatch:?}");
        sim.end(task);
        sim.settle();
        assert_eq!(sim.ended(task), Some("succeeded"));
        let suspects = endless
            .iter()
            .filter(|&&task| sim.doer(task) == Some(ChildId(2)));
        assert_eq!(suspects.count(), 4, "of the sixteen that were hers");
    }
}

/// It is part of why each of her tasks is lost.
#[test]
fn what_a_bee_says_of_her_end_is_clipped() {
    let exception = "x".repeat(1 << 20);
    let message = exception.clone();
    let traceback = Vec::new();
    let killed = DeathType::Killed {
        exception,
        traceback,
    };
    for said in [FromBee::Dead(killed), FromBee::NotReady { message }] {
        let mut sim = puppets(config_with_limit(1), 1, 1);
        let task = sim.delegate();
        sim.say(0, accept(task, 1));
        sim.say(0, said);
        sim.lose(ChildId(0));
        let reason = &sim.end_of(task).unwrap().reason;
        assert!(reason.starts_with("worker_lost: xxx"));
        assert!(reason.len() < 20_000, "{}", reason.len());
    }
}

fn config_with_limit(crash_limit: u32) -> Config {
    Config {
        crash_limit,
        ..config(Dispatch::Auction, 1)
    }
}

/// A bee without a limit may have tens of thousands. They are not compared each with each when she dies.
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
        let request = Request {
            name: "work".into(),
            args: Bytes::new(),
            limit: None,
        };
        let tasks = (0..60_000).map(|_| parent.delegate(now, request.clone()));
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
        assert_eq!(tell(&mut parent, Event::Said(ChildId(0), ready))[0], 0);
        if accepts {
            let accepts = tasks.iter().map(|&task| accept(task, 1));
            for accept in accepts {
                parent.handle(now, Event::Said(ChildId(0), accept));
            }
        }
        let gone = Event::Gone(ChildId(0), "gone".into());
        assert_eq!(tell(&mut parent, gone), [60_000, 0, 0], "{dispatch:?}");
        for &task in tasks.iter().rev() {
            parent.handle(now, Event::Cancel(task, "asked".into()));
        }
        assert_eq!(parent.census(), [0; 3]);
    }
}
