//! The end of a bee, with children of her own and without.
use super::*;

const TASK: TaskId = TaskId(7);

fn info() -> ToBee {
    ToBee::TaskInfo(TaskInfo {
        task_id: TASK,
        round: Round(1),
        name: "work".into(),
        args: bytes::Bytes::new(),
        deadline: None,
        attempt: 1,
    })
}

fn done() -> Event {
    let returning_value = bytes::Bytes::new();
    Event::Ended(TASK, TaskStatus::Succeeded { returning_value })
}

fn dead() -> Effect {
    Effect::Say(FromBee::Dead)
}

/// Tells a bee something, and returns what she does.
fn told(bee: &mut BeeMachine, event: Event) -> Vec<Effect> {
    bee.handle(event).expect("no nonsense");
    std::iter::from_fn(|| bee.poll_effect()).collect()
}

fn ready(bee: BeeMachine) -> BeeMachine {
    let mut bee = bee;
    assert!(matches!(
        bee.poll_effect(),
        Some(Effect::Say(FromBee::Ready { .. }))
    ));
    bee
}

#[test]
fn without_children_she_is_dead_when_her_last_task_is() {
    let mut bee = ready(BeeMachine::new(None));
    told(&mut bee, Event::Said(info()));
    assert_eq!(told(&mut bee, Event::Said(ToBee::Die)), []);
    let effects = told(&mut bee, done());
    assert_eq!(effects[1..], [dead(), Effect::Exit]);
}

#[test]
fn her_children_die_after_her_last_task_and_before_her() {
    let mut bee = ready(BeeMachine::new(None).with_children());
    told(&mut bee, Event::Said(info()));
    assert_eq!(
        told(&mut bee, Event::Said(ToBee::Die)),
        [],
        "her task may still delegate"
    );
    let effects = told(&mut bee, done());
    assert_eq!(effects[1..], [Effect::Say(FromBee::Dying), Effect::Bury]);
    let (task_id, round) = (TaskId(8), Round(1));
    let offered = told(&mut bee, Event::Said(ToBee::NewTask { task_id, round }));
    let denied = FromBee::TaskDenied { task_id, round };
    assert_eq!(offered, [Effect::Say(denied)], "and that is all");
    assert_eq!(told(&mut bee, Event::Said(ToBee::Die)), [], "she is at it");
    assert_eq!(told(&mut bee, Event::ChildrenGone), [dead(), Effect::Exit]);
    assert_eq!(told(&mut bee, Event::Said(ToBee::Die)), [], "once");
}

#[test]
fn children_of_a_bee_with_nothing_to_do_die_at_once() {
    let mut bee = ready(BeeMachine::new(None).with_children());
    let effects = told(&mut bee, Event::Said(ToBee::Die));
    assert_eq!(effects, [Effect::Say(FromBee::Dying), Effect::Bury]);
    assert_eq!(told(&mut bee, Event::ChildrenGone), [dead(), Effect::Exit]);
}

#[test]
fn children_that_are_gone_early_are_not_waited_for() {
    let mut bee = ready(BeeMachine::new(None).with_children());
    assert_eq!(told(&mut bee, Event::ChildrenGone), []);
    assert_eq!(
        told(&mut bee, Event::Said(ToBee::Die)),
        [dead(), Effect::Exit]
    );
}
