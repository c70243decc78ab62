//! What calls have counted in this worker, until it leaves with their outcomes.
//!
//! What is added while a call runs on the worker's main thread is that call's; a call that has to wait
//! takes what it has with it. What other threads add, and what is added outside of calls, goes with the
//! next outcome. Workers whose tasks count nothing pay for one look at a flag an item.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use mt_proto::{Count, CounterId, ItemIndex};

use crate::lock::lock;

type Sums = BTreeMap<CounterId, i64>;

/// Whether anything has been counted in this process.
static USED: AtomicBool = AtomicBool::new(false);
/// What other threads than the main one have counted.
static STRAYS: Mutex<Sums> = Mutex::new(Sums::new());

thread_local! {
    static CALLS_RUN_HERE: Cell<bool> = const { Cell::new(false) };
    /// What was counted since a call was last left.
    static CURRENT: RefCell<Sums> = const { RefCell::new(Sums::new()) };
    /// What calls that wait have counted.
    static WAITING: RefCell<HashMap<ItemIndex, Sums>> = RefCell::default();
}

pub(super) fn calls_run_here() {
    CALLS_RUN_HERE.set(true);
}

/// Adds to a counter of the parent process, or of one above it.
pub(crate) fn add(counter: CounterId, by: i64) {
    let add = |sums: &mut Sums| merge(sums, [(counter, by)]);
    if CALLS_RUN_HERE.get() {
        CURRENT.with_borrow_mut(add);
    } else {
        add(&mut lock(&STRAYS));
    }
    // After the sum: who sees the flag sees the sum.
    USED.store(true, Ordering::Release);
}

/// The call for item `index` was polled: what was counted meanwhile is its own.
#[inline]
pub(super) fn left(index: ItemIndex) {
    if USED.load(Ordering::Acquire) {
        leave(index);
    }
}

#[cold]
fn leave(index: ItemIndex) {
    let counted = CURRENT.take();
    if !counted.is_empty() {
        WAITING.with_borrow_mut(|waiting| merge(waiting.entry(index).or_default(), counted));
    }
}

/// Takes what goes with the outcome of item `index`, in place of what is in `counts`.
#[inline]
pub(super) fn take(index: ItemIndex, counts: &mut Vec<Count>) {
    counts.clear();
    if USED.load(Ordering::Acquire) {
        counts.extend(collect(index));
    }
}

#[cold]
fn collect(index: ItemIndex) -> Vec<Count> {
    let mut sums = CURRENT.take();
    if let Some(waited) = WAITING.with_borrow_mut(|waiting| waiting.remove(&index)) {
        merge(&mut sums, waited);
    }
    let strays = std::mem::take(&mut *lock(&STRAYS));
    merge(&mut sums, strays);
    let counts = sums.into_iter();
    counts.map(|(counter, by)| Count { counter, by }).collect()
}

fn merge(sums: &mut Sums, more: impl IntoIterator<Item = (CounterId, i64)>) {
    for (counter, by) in more {
        let sum = sums.entry(counter).or_default();
        *sum = sum.wrapping_add(by);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn counter(number: u64) -> CounterId {
        CounterId { process: 1, number }
    }

    fn taken(index: u64) -> Vec<(u64, i64)> {
        let mut counts = Vec::new();
        take(ItemIndex(index), &mut counts);
        let counts = counts.into_iter();
        counts
            .map(|count| (count.counter.number, count.by))
            .collect()
    }

    /// One test, because strays are the process's.
    #[test]
    fn each_call_has_its_own_and_the_rest_goes_with_the_next() {
        calls_run_here();
        assert_eq!(taken(0), []);
        add(counter(1), 5);
        add(counter(1), -2);
        left(ItemIndex(7));
        add(counter(1), 10);
        add(counter(2), 1);
        left(ItemIndex(8));
        add(counter(3), 1);
        left(ItemIndex(7));
        assert_eq!(taken(8), [(1, 10), (2, 1)]);
        thread::spawn(|| add(counter(4), 9))
            .join()
            .expect("no panic");
        add(counter(1), 100);
        assert_eq!(taken(7), [(1, 103), (3, 1), (4, 9)]);
        assert_eq!(taken(7), []);
    }
}
