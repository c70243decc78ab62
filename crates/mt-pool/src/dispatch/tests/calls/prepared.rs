//! Calls of prepared tasks.

use std::{sync::Arc, time::Duration};

use super::{
    super::{
        super::{Event, Prepared, Terms},
        model::{A, B},
        payload::{items, prepared},
    },
    Calls,
};

/// Case M247: A worker is told what a call is of before the call is sent, once, and so is who replaces it; calls of different
/// prepared tasks do not go in one piece.
#[test]
fn workers_know_what_they_are_sent() {
    let [one, two] = [1, 2].map(|id| Some(prepared(id)));
    let of = |prepared: &Option<Arc<Prepared>>| Terms {
        prepared: prepared.clone(),
        shares: true,
        ..Terms::default()
    };
    let mut calls = Calls::with(1);
    let all = [&one, &one, &two, &None].map(of);
    let all = (0..4).map(|n| items(n, 1)).zip(all);
    calls.tell(Event::Calls(all.collect()));
    assert_eq!(calls.of(A), [0, 1, 2, 3]);
    assert_eq!(
        calls.prepared,
        [(A, 1, 0), (A, 2, 2)],
        "each before its own"
    );
    calls.gone(A, 1);
    calls.now += Duration::from_secs(1);
    calls.tell(Event::Tick);
    calls.tell(Event::Ready(B));
    let mut done = 0;
    while calls.ends.len() < 4 {
        let call = calls.of(B)[done];
        done += 1;
        calls.tell(Event::Results(B, items(call, 1)));
    }
    let again: Vec<_> = calls.prepared[2..]
        .iter()
        .map(|(to, id, _)| (*to, *id))
        .collect();
    assert_eq!(again.len(), 2, "{again:?}");
    assert!(again.contains(&(B, 1)) && again.contains(&(B, 2)));
}
