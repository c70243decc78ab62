//! The input: the numbers from 0 on, held back at some places until a kill has landed.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::targets::Targets;

/// How long the input is held back at once. With no item left to run, a pool need not have a worker
/// that could be killed; then one more item goes in before the next try.
const HOLD: Duration = Duration::from_millis(100);

/// The input of a chaos run.
pub(super) struct Gate {
    next: u64,
    end: u64,
    places: VecDeque<u64>,
    targets: Arc<Targets>,
    /// The items taken so far, for others to read.
    taken: Arc<AtomicU64>,
}

impl Gate {
    pub(super) fn new(
        tasks: u64,
        places: Vec<u64>,
        targets: Arc<Targets>,
        taken: Arc<AtomicU64>,
    ) -> Self {
        Self {
            next: 0,
            end: tasks,
            places: places.into(),
            targets,
            taken,
        }
    }

    /// Asks for a kill and waits for it. The items just before are on their way meanwhile.
    #[cold]
    fn hold(&mut self) {
        let mut state = self.targets.lock();
        if state.asked == state.answered {
            state.asked += 1;
            self.targets.tell();
        }
        let until = Instant::now() + HOLD;
        while state.answered < state.asked && !state.over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.targets.wait(state, left);
        }
        drop(state);
        self.places.pop_front();
    }
}

impl Iterator for Gate {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.places.front().is_some_and(|&place| place <= self.next) {
            self.hold();
        }
        let item = self.next;
        (item < self.end).then(|| {
            self.next += 1;
            self.taken.store(self.next, Ordering::Relaxed);
            item
        })
    }
}
