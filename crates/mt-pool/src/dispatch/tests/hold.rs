//! Small stories about results that hold back calls.

use std::time::Duration;

use mt_proto::ItemIndex;

use super::{
    model::{A, B, C, Model},
    payload::items,
};

/// Two workers that take eight items each, and room for three results.
fn two_workers() -> Model {
    let mut model = Model::but(|config| {
        config.window_floor = 8;
        config.buffer_bytes = 3 * items(0, 1).records.len();
    });
    model.input(16);
    model.ready(A);
    model.ready(B);
    assert_eq!(model.unstarted(A), (0..8).collect::<Vec<_>>());
    model
}

/// Case 25: Results that wait for an earlier item hold back the calls of all others, and the item they wait for goes on.
#[test]
fn results_that_wait_hold_back_calls_that_make_more() {
    let mut model = two_workers();
    model.start(A, 1);
    model.work(B, 8, 2);
    assert_eq!((model.gate(A), model.gate(B)), (None, None));
    model.work(B, 10, 1);
    let behind = |item| Some(ItemIndex(item));
    assert_eq!((model.gate(A), model.gate(B)), (behind(1), behind(1)));
    assert_eq!(model.start_one(B), None, "it would make more");
    // What runs already goes on, and so does whoever is next.
    model.finish(A, 0, 1);
    assert_eq!((model.gate(A), model.gate(B)), (behind(2), behind(2)));
    model.work(A, 1, 1);
    assert_eq!(model.out.len(), 2);
    model.input(5);
    assert_eq!(model.unstarted(A).len(), 6, "nothing more is given out");
    for item in 2..8 {
        model.work(A, item, 1);
    }
    assert_eq!((model.gate(A), model.gate(B)), (None, None));
    assert_eq!(model.out.len(), 11);
}

/// The item that is next was in a worker that died, and everybody else has as much as they may.
///
/// Case 25: The item that all wait for goes to another worker when its own dies, however many results wait.
#[test]
fn the_item_that_all_wait_for_is_given_out_again() {
    let mut model = two_workers();
    model.start(A, 1);
    model.work(B, 8, 3);
    model.gone(A);
    // Nobody else has room for it: one of them finishes what it has, to be free for a suspect.
    assert_eq!(model.gate(B), None);
    model.work(B, 11, 5);
    assert_eq!(model.unstarted(B), [0]);
    model.work(B, 0, 1);
    assert_eq!(model.out.len(), 1);
    let _ = C;
}

/// Case 25: A consumer that takes nothing holds back all calls, and one that takes some lets them go on.
#[test]
fn a_consumer_that_takes_nothing_holds_back_all_calls() {
    for ordered in [false, true] {
        let mut model = Model::with_items(8, |config| config.ordered = ordered);
        model.work(A, 0, 2);
        model.pause(true);
        assert_eq!(model.gate(A), Some(ItemIndex(0)));
        assert_eq!(model.start_one(A), None);
        model.pass(Duration::from_secs(1));
        model.pause(false);
        assert_eq!(model.gate(A), None);
        model.work(A, 2, 6);
        assert_eq!(model.out.len(), 8);
    }
}
