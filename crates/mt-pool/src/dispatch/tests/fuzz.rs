//! The machine fed from bytes: what happens, and what a worker says that it has done.

use mt_test_kit::{Dice, fuzz};

use super::random::play;

/// Case Z2: Every item comes out once, whatever workers say and whenever they die.
#[test]
fn dispatch() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/dispatch.hex");
    fuzz("dispatch", corpus, |input, trail| {
        let model = play(Dice::of(input));
        for (_, end) in &model.out {
            trail.note(end);
        }
        trail.note((model.spawned.min(9), model.drained, model.stopped));
        let past = model.past.values();
        past.for_each(|past| trail.note((past.deaths, past.breaches, past.errors)));
        assert!(model.finished);
    });
}
