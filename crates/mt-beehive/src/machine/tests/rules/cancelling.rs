//! Rule 11: a task that nobody wants any more is cancelled, and ends when it is really gone.

use std::time::Duration;

use super::{BOTH, Sim, accept, config, done, hive, puppets};
use crate::machine::{
    parent::{ChildId, Dispatch, Event},
    tests::sim::CANCEL_GRACE,
};

const LIMIT: Duration = Duration::from_millis(500);

fn cancel(sim: &mut Sim, task: mt_proto::TaskId) {
    sim.tell(Event::Cancel(task, "asked: enough".into()));
}

#[test]
fn rule_11_what_nobody_has_ends_at_once() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let [first, second] = [sim.delegate(), sim.delegate()];
        sim.settle();
        cancel(&mut sim, second);
        assert_eq!(sim.ended(second), Some("asked"), "{dispatch:?}");
        sim.end(first);
        sim.settle();
        assert_eq!(sim.ended(first), Some("succeeded"));
        assert_eq!(
            sim.told
                .iter()
                .filter(|said| said.1 == mt_proto::ToBee::Die)
                .count(),
            0
        );
    }
}

#[test]
fn rule_11_what_is_on_offer_ends_at_once_and_its_accepts_are_answered() {
    let mut sim = puppets(config(Dispatch::Auction, 2), 2, 2);
    let first = sim.delegate();
    sim.say(0, accept(first, 1));
    sim.say(1, accept(first, 1));
    let second = sim.delegate();
    sim.say(0, accept(second, 1));
    sim.forget();
    cancel(&mut sim, second);
    assert_eq!(sim.ended(second), Some("asked"));
    assert_eq!(sim.told(0), ["task_taken 1/1"], "she had wanted it");
    assert_eq!(sim.told(1), [""; 0], "she has not answered");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "now she has");
}

#[test]
fn rule_11_what_runs_ends_when_its_bee_says_so() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.forget();
        cancel(&mut sim, task);
        cancel(&mut sim, task);
        sim.settle();
        assert_eq!(sim.told(0), ["task_cancel 0/1"], "once");
        assert_eq!(sim.ended(task), None, "it still runs");
        sim.end(task);
        sim.settle();
        let end = sim.end_of(task).unwrap();
        assert_eq!(
            (end.reason.as_str(), end.child),
            ("asked: enough", Some(ChildId(0)))
        );
    }
}

#[test]
fn rule_11_a_result_that_was_on_its_way_is_the_result() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.end(task);
        cancel(&mut sim, task);
        sim.settle();
        assert_eq!(sim.ended(task), Some("succeeded"), "{dispatch:?}");
    }
}

#[test]
fn rule_11_a_bee_that_does_not_let_go_is_killed() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        cancel(&mut sim, task);
        assert_eq!(sim.parent.poll_timeout(), Some(sim.now + CANCEL_GRACE));
        sim.settle();
        sim.pass(CANCEL_GRACE - Duration::from_millis(1));
        assert!(!sim.process(ChildId(0)).doomed);
        sim.pass(Duration::from_millis(1));
        assert!(sim.process(ChildId(0)).doomed);
        assert_eq!(sim.ended(task), None, "she is not gone yet");
        sim.lose(ChildId(0));
        let end = sim.end_of(task).unwrap();
        assert_eq!((end.reason.as_str(), end.child), ("asked: enough", None));
    }
}

#[test]
fn rule_11_a_deadline_is_a_cancel() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate_within(Some(LIMIT));
        sim.settle();
        assert_eq!(sim.parent.poll_timeout(), Some(sim.now + LIMIT));
        sim.pass(LIMIT);
        sim.settle();
        assert_eq!(sim.told(0).last().unwrap(), "task_cancel 0/1");
        assert_eq!(sim.ended(task), None, "it still runs");
        sim.end(task);
        sim.settle();
        let end = sim.end_of(task).unwrap();
        assert_eq!(end.reason, "deadline: it took longer than 500ms");
    }
}

/// The grace is a task's own, wherever its deadline is.
#[test]
fn rule_11_a_cancel_shortly_before_the_deadline_has_its_grace() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate_within(Some(LIMIT));
        sim.settle();
        sim.pass(LIMIT - Duration::from_millis(10));
        cancel(&mut sim, task);
        assert_eq!(sim.parent.poll_timeout(), Some(sim.now + CANCEL_GRACE));
        sim.pass(CANCEL_GRACE - Duration::from_millis(1));
        assert!(!sim.process(ChildId(0)).doomed, "{dispatch:?}");
        sim.settle();
        sim.end(task);
        sim.settle();
        assert_eq!(sim.ended(task), Some("asked"));
    }
}

#[test]
fn rule_11_what_has_ended_has_no_deadline() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let tasks = [0, 1].map(|_| sim.delegate_within(Some(LIMIT)));
        sim.settle();
        cancel(&mut sim, tasks[1]);
        sim.end(tasks[0]);
        sim.settle();
        assert!(tasks.iter().all(|&task| sim.ended(task).is_some()));
        assert_eq!(sim.parent.poll_timeout(), None, "nothing to wake up for");
    }
}

/// Whichever is first, it is one end.
#[test]
fn rule_11_deadline_and_result_at_once_are_one_end() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 2);
        let tasks = [0, 1].map(|_| sim.delegate_within(Some(LIMIT)));
        sim.settle();
        sim.end(tasks[0]);
        sim.now += LIMIT;
        sim.settle();
        sim.tell(Event::Tick);
        sim.end(tasks[1]);
        sim.pass(CANCEL_GRACE);
        sim.settle();
        assert_eq!(sim.ended(tasks[0]), Some("succeeded"));
        assert_eq!(sim.ended(tasks[1]), None, "she is being killed for it");
        sim.lose(ChildId(0));
        assert_eq!(sim.ended(tasks[1]), Some("deadline"));
    }
}

#[test]
fn rule_11_what_is_cancelled_is_not_begun_again() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 2, 1);
        let task = sim.delegate();
        sim.settle();
        cancel(&mut sim, task);
        sim.lose(ChildId(0));
        assert_eq!(sim.ended(task), Some("asked"), "{dispatch:?}");
    }
}

#[test]
fn rule_11_a_task_of_a_dying_bee_can_be_cancelled() {
    for dispatch in BOTH {
        let mut sim = hive(dispatch, 1, 1);
        let task = sim.delegate();
        sim.settle();
        sim.tell(Event::Bury(None));
        cancel(&mut sim, task);
        sim.settle();
        assert_eq!(
            sim.told(0)[sim.told(0).len() - 2..],
            ["die", "task_cancel 0/1"]
        );
        sim.end(task);
        sim.settle();
        assert_eq!((sim.ended(task), sim.children().len()), (Some("asked"), 0));
    }
}

#[test]
fn rule_11_what_has_ended_is_not_cancelled() {
    let mut sim = puppets(config(Dispatch::Credit, 1), 1, 1);
    let task = sim.delegate();
    sim.say(0, done(task, 1, 0));
    sim.forget();
    cancel(&mut sim, task);
    cancel(&mut sim, mt_proto::TaskId(77));
    assert_eq!((sim.told.len(), sim.ended(task)), (0, Some("succeeded")));
}
