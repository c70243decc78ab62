//! How many items a worker may hold: enough to be busy until more can come, no more.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A worker that runs dry while items wait doubles its window; one that reports in small change out of
//! a large hoard halves it. So tiny tasks get thousands of items ahead and slow ones get two, without
//! a clock and without a setting. Items that a slow worker hoards are items an idle one can't take.

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    size: u32,
    floor: u32,
    cap: u32,
}

impl Window {
    pub(crate) fn new(floor: u32, cap: u32) -> Self {
        let floor = floor.max(1);
        Self {
            size: floor,
            floor,
            cap: cap.max(floor),
        }
    }

    /// The items that may be added to `held`. Nothing until there is room for a good part of the
    /// window: topping up one by one would make every item a message of its own.
    pub(crate) fn room(self, held: u32) -> u32 {
        let room = self.size.saturating_sub(held);
        if room >= (self.size / 4).max(1) {
            room
        } else {
            0
        }
    }

    /// Takes note that `reported` items came back and `left` are still held; `waiting` tells
    /// whether more items wait for a worker.
    pub(crate) fn on_results(&mut self, reported: u32, left: u32, waiting: bool) {
        if left == 0 && waiting {
            self.size = self.size.saturating_mul(2).min(self.cap);
        } else if left / 8 > reported {
            self.size = (self.size / 2).max(self.floor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_worker_gets_more_and_a_hoarder_less() {
        let mut window = Window::new(2, 100);
        for expected in [4, 8, 16, 32, 64, 100, 100] {
            window.on_results(1, 0, true);
            assert_eq!(window.room(0), expected);
        }
        window.on_results(50, 50, true);
        assert_eq!(window.room(0), 100, "in balance: no change");
        for expected in [50, 25, 12, 6, 3, 2, 2] {
            window.on_results(1, 99, true);
            assert_eq!(window.room(0), expected);
        }
    }

    #[test]
    fn room_comes_in_quarters() {
        let window = Window::new(100, 100);
        assert_eq!(
            [100, 99, 76, 75, 50, 0].map(|held| window.room(held)),
            [0, 0, 0, 25, 50, 100]
        );
        let small = Window::new(2, 2);
        assert_eq!([2, 1, 0].map(|held| small.room(held)), [0, 1, 2]);
    }

    #[test]
    fn nothing_waiting_means_nothing_to_grow_for() {
        let mut window = Window::new(2, 100);
        window.on_results(1, 0, false);
        assert_eq!(window.room(0), 2);
    }
}
