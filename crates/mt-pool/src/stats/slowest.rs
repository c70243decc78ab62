//! The slowest of many items.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Duration;

use mt_ipc::Progress;

use super::SlowItem;

/// The most items kept. As many as each worker keeps, so the slowest of all are among theirs.
pub(super) const SLOWEST: usize = Progress::SLOWEST;

/// Keeps the slowest items it was told of, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Slowest {
    /// The slowest first.
    items: Vec<SlowItem>,
}

impl Slowest {
    pub(super) fn note(&mut self, item: u64, time: Duration) {
        match self.items.iter_mut().find(|known| known.item == item) {
            Some(known) => known.time = known.time.max(time),
            None => self.items.push(SlowItem { item, time }),
        }
        self.items
            .sort_by_key(|slow| (std::cmp::Reverse(slow.time), slow.item));
        self.items.truncate(SLOWEST);
    }

    pub(super) fn note_all(&mut self, items: impl IntoIterator<Item = (u64, Duration)>) {
        for (item, time) in items {
            self.note(item, time);
        }
    }

    pub(super) fn into_vec(self) -> Vec<SlowItem> {
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_are_kept_each_once_with_its_longest_time() {
        let mut slowest = Slowest::default();
        slowest.note_all((0..100).map(|n| (n * 7 % 100, Duration::from_millis(n * 7 % 100))));
        slowest.note(95, Duration::from_millis(200));
        slowest.note(99, Duration::from_millis(1));
        let found: Vec<(u64, u128)> = slowest
            .into_vec()
            .iter()
            .map(|slow| (slow.item, slow.time.as_millis()))
            .collect();
        let mut expected = vec![(95, 200)];
        expected.extend([99, 98, 97, 96, 94, 93, 92].map(|n| (n, u128::from(n))));
        assert_eq!(found, expected);
    }
}
