//! What items print when they fork.

use mt_test_kit::fork;

use crate::{captured::texts, prelude::*};

/// Forks its process, and returns in the copy first.
#[task]
fn returns_twice(n: u64) -> u64 {
    println!("before {n}");
    match fork() {
        0 => return n,
        copy => wait_until_gone(&[copy]),
    }
    println!("after {n}");
    n
}

/// Case M262: A copy of its worker that an item has forked takes no text of the item along.
#[test_with(alone)]
fn a_forked_copy_takes_nothing_along() {
    let texts = texts(asyn_pmap::<returns_twice>(0..10).processes(1));
    let expected = |n| format!("before {n}\nafter {n}\n");
    assert_eq!(texts, (0..10).map(expected).collect::<Vec<_>>());
}
