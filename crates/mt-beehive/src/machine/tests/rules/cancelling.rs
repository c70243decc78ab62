//! Rule 11: a task that nobody wants any more is cancelled, and ends when it is really gone.

use mt_proto::{TaskId, ToBee};

use super::{
    LIMIT, MOMENT, Sim, accept, config, done, either_way, half_answered, puppets_of, test_with,
};
use crate::{
    error::CancelReason,
    machine::{
        parent::{Dispatch, Event},
        tests::sim::CANCEL_GRACE,
    },
};

#[test_with(either_way, 1, 1)]
fn rule_11_what_nobody_has_ends_at_once(mut sim: Sim) {
    let [first, second] = sim.begin();
    sim.cancel(second);
    assert_eq!(sim.ended(second), Some("dropped"));
    sim.finish(first);
    sim.assert_succeeded(&[first]);
    assert!(sim.told.iter().all(|said| said.1 != ToBee::Die));
}

#[test]
fn rule_11_what_is_on_offer_ends_at_once_and_its_accepts_are_answered() {
    let (mut sim, [_, second]) = half_answered(config(Dispatch::Auction, 2));
    sim.cancel(second);
    assert_eq!(sim.ended(second), Some("dropped"));
    assert_eq!(sim.told(0), ["task_taken 1/1"], "she had wanted it");
    assert_eq!(sim.told(1), [""; 0], "she has not answered");
    sim.say(1, accept(second, 1));
    assert_eq!(sim.told(1), ["task_taken 1/1"], "now she has");
}

#[test_with(either_way, 1, 1)]
fn rule_11_what_runs_ends_when_its_bee_says_so(mut sim: Sim) {
    let [task] = sim.begin();
    sim.forget();
    sim.cancel(task);
    sim.cancel(task);
    sim.settle();
    assert_eq!(sim.told(0), ["task_cancel 0/1"], "once");
    assert_eq!(sim.ended(task), None, "it still runs");
    sim.finish(task);
    sim.assert_cancelled(task, CancelReason::Dropped, Some(0));
}

#[test_with(either_way, 1, 1)]
fn rule_11_a_result_that_was_on_its_way_is_the_result(mut sim: Sim) {
    let [task] = sim.begin();
    sim.end(task);
    sim.cancel(task);
    sim.settle();
    sim.assert_succeeded(&[task]);
}

#[test_with(either_way, 1, 1)]
fn rule_11_a_bee_that_does_not_let_go_is_killed(mut sim: Sim) {
    let [task] = sim.begin();
    sim.cancel(task);
    assert_eq!(sim.due_in(), Some(CANCEL_GRACE));
    sim.settle();
    sim.pass(CANCEL_GRACE - MOMENT);
    assert!(!sim.is_doomed(0));
    sim.pass(MOMENT);
    assert!(sim.is_doomed(0));
    assert_eq!(sim.ended(task), None, "she is not gone yet");
    sim.lose(0);
    sim.assert_cancelled(task, CancelReason::Dropped, None);
}

#[test_with(either_way, 1, 1)]
fn rule_11_a_deadline_is_a_cancel(mut sim: Sim) {
    let task = sim.begin_within(LIMIT);
    assert_eq!(sim.due_in(), Some(LIMIT));
    sim.pass(LIMIT);
    sim.settle();
    assert_eq!(sim.last_told(0), "task_cancel 0/1");
    assert_eq!(sim.ended(task), None, "it still runs");
    sim.finish(task);
    let why = CancelReason::Deadline { limit: LIMIT };
    sim.assert_cancelled(task, why, Some(0));
}

/// The grace is a task's own, wherever its deadline is.
#[test_with(either_way, 1, 1)]
fn rule_11_a_cancel_shortly_before_the_deadline_has_its_grace(mut sim: Sim) {
    let task = sim.begin_within(LIMIT);
    sim.pass(LIMIT - 10 * MOMENT);
    sim.cancel(task);
    assert_eq!(sim.due_in(), Some(CANCEL_GRACE));
    sim.pass(CANCEL_GRACE - MOMENT);
    assert!(!sim.is_doomed(0));
    sim.settle();
    sim.finish(task);
    assert_eq!(sim.ended(task), Some("dropped"));
}

#[test_with(either_way, 1, 1)]
fn rule_11_what_has_ended_has_no_deadline(mut sim: Sim) {
    let tasks = [0, 1].map(|_| sim.delegate_within(Some(LIMIT)));
    sim.settle();
    sim.cancel(tasks[1]);
    sim.finish(tasks[0]);
    assert!(tasks.iter().all(|&task| sim.ended(task).is_some()));
    assert_eq!(sim.due_in(), None, "nothing to wake up for");
}

/// Whichever is first, it is one end.
#[test_with(either_way, 1, 2)]
fn rule_11_deadline_and_result_at_once_are_one_end(mut sim: Sim) {
    let tasks = [0, 1].map(|_| sim.delegate_within(Some(LIMIT)));
    sim.settle();
    sim.end(tasks[0]);
    sim.now += LIMIT;
    sim.settle();
    sim.tell(Event::Tick);
    sim.end(tasks[1]);
    sim.pass(CANCEL_GRACE);
    sim.settle();
    sim.assert_succeeded(&[tasks[0]]);
    assert_eq!(sim.ended(tasks[1]), None, "she is being killed for it");
    sim.lose(0);
    assert_eq!(sim.ended(tasks[1]), Some("deadline"));
}

#[test_with(either_way, 2, 1)]
fn rule_11_what_is_cancelled_is_not_begun_again(mut sim: Sim) {
    let [task] = sim.begin();
    sim.cancel(task);
    sim.lose(0);
    assert_eq!(sim.ended(task), Some("dropped"));
}

#[test_with(either_way, 1, 1)]
fn rule_11_a_task_of_a_dying_bee_can_be_cancelled(mut sim: Sim) {
    let [task] = sim.begin();
    sim.forget();
    sim.bury(None);
    sim.cancel(task);
    sim.settle();
    assert_eq!(sim.told(0), ["die", "task_cancel 0/1"]);
    sim.finish(task);
    assert_eq!((sim.ended(task), sim.bees().len()), (Some("dropped"), 0));
}

#[test]
fn rule_11_what_has_ended_is_not_cancelled() {
    let mut sim = puppets_of(config(Dispatch::Credit, 1), 1);
    let task = sim.delegate();
    sim.say(0, done(task, 1, 0));
    sim.forget();
    sim.cancel(task);
    sim.cancel(TaskId(77));
    assert_eq!((sim.told.len(), sim.ended(task)), (0, Some("succeeded")));
}
