//! Tells the killer of the workers: a pool has no events of its calls, and its workers are all children that there are.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use mt_test_kit::{Folder, children};

use super::{super::targets::Targets, deed::at_work};

/// How often somebody looks for workers.
const LOOK: Duration = Duration::from_millis(2);

/// Looks until the calls are over.
pub(super) fn watch(targets: &Targets, notes: &Folder, over: &AtomicBool) {
    let mut before = BTreeSet::new();
    while !over.load(Relaxed) {
        let now: BTreeSet<u32> = children().into_iter().collect();
        let called: BTreeSet<u32> = at_work(notes).into_iter().collect();
        {
            let (mut state, at) = (targets.lock(), Instant::now());
            for pid in before.difference(&now) {
                state.on_gone(*pid, at);
            }
            state.on_processes(&now, &called);
        }
        targets.tell();
        before = now;
        thread::sleep(LOOK);
    }
}
