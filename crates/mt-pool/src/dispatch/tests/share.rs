//! Small stories about runs that share workers.

use std::time::Duration;

use super::{
    super::Event,
    model::{A, B, Model},
};

fn shared() -> Model {
    let mut model = Model::but(|config| config.shared = true);
    model.input(6);
    model.ready(A);
    model
}

/// Case 29: A worker that has nothing to do is let go as soon as another run waits for one.
#[test]
fn who_has_nothing_to_do_is_let_go_for_others() {
    let mut model = Model::with_items(2, |config| config.shared = true);
    model.work(A, 0, 2);
    assert!(!model.is_retired(A));
    model.tell(Event::Wanted(true));
    assert!(model.is_retired(A));
}

/// Case 29: A run that has several workers lets one go at once for a run that has none, after what that was given.
#[test]
fn one_of_several_is_let_go_for_others() {
    let mut model = shared();
    model.ready(B);
    model.tell(Event::Wanted(true));
    model.input(100);
    let before = [A, B].map(|worker| model.unstarted(worker).len());
    let mut items = model.unstarted(A);
    items.sort_unstable();
    model.work(A, items[0], items.len() as u32);
    let retired = [A, B].map(|worker| model.is_retired(worker));
    assert_ne!(
        retired[0],
        model.unstarted(A).len() > before[0],
        "{before:?} {retired:?}"
    );
}

/// Case 29: A run that has one worker keeps it for 100 ms while another has none.
#[test]
fn the_only_worker_is_let_go_when_its_turn_is_over() {
    let mut model = Model::one_worker(|config| {
        config.shared = true;
        config.window_floor = 2;
        config.window_cap = 2;
    });
    model.input(20);
    model.ready(A);
    model.tell(Event::Wanted(true));
    model.work(A, 0, 1);
    assert_eq!(model.unstarted(A), [1, 2], "it goes on");
    model.pass(Duration::from_millis(100));
    model.work(A, 1, 2);
    assert!(model.is_retired(A), "nothing more was given");
    // Nobody waits any more.
    model.tell(Event::Wanted(false));
    model.gone(A);
    model.ready(B);
    model.tell(Event::Wanted(true));
    model.pass(Duration::from_millis(100));
    model.tell(Event::Wanted(false));
    model.work(B, 3, 2);
    assert!(!model.is_retired(B), "it was about to go, and is needed");
}
