//! How many items a worker may hold: enough to be busy until more can come, no more.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A window is a time: what a worker holds should take it about [`AHEAD`], or [`AHEAD_OF_CALLS`]. How long an item takes is
//! known from its reports: so many came back since the last one, in so long. So tiny tasks get thousands of items ahead and slow ones
//! get two, whether a worker runs dry or is given one for each it sends. The time that messages take is in it, so an
//! estimate from few items is too long, and the window grows in steps. Reports are averaged, each counting for an eighth
//! less with every later one: calls that wait end in bursts. Items that a slow worker hoards are items an idle one
//! can't take: one that reports in small change out of a large hoard gets half, and one whose items take long is sent
//! next to nothing ahead.

use std::time::{Duration, Instant};

/// How long what a worker holds should take it, for outcomes that are awaited together: more than twice what they may
/// gather, and as long as this process may get no processor.
pub(crate) const AHEAD: Duration = Duration::from_millis(50);
/// The same for outcomes that somebody waits for each: whoever calls next should not wait for many others.
pub(crate) const AHEAD_OF_CALLS: Duration = Duration::from_micros(200);
/// Of items as quick as this two are held: while one runs, the next is there.
const QUICK: Duration = Duration::from_millis(2);
/// What is left of a report's weight with every later one.
const KEPT: f64 = 7.0 / 8.0;
/// How much a window grows with a report, at most.
const GROWTH: u32 = 4;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    ahead: Duration,
    size: u32,
    floor: u32,
    cap: u32,
    /// Since when the items run that are reported next.
    since: Option<Instant>,
    /// The items of the last reports, and how many seconds they took.
    items: f64,
    seconds: f64,
}

/// A report of a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported {
    /// The items that came back.
    pub(crate) items: u32,
    /// The items that it still holds.
    pub(crate) left: u32,
    /// Whether more items wait for a worker.
    pub(crate) waiting: bool,
}

impl Window {
    pub(crate) fn new(ahead: Duration, floor: u32, cap: u32) -> Self {
        let floor = floor.max(1);
        Self {
            ahead,
            size: floor,
            floor,
            cap: cap.max(floor),
            since: None,
            items: 0.0,
            seconds: 0.0,
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

    /// When it was last known to go on: given something when it held nothing, or done with something.
    pub(crate) fn since(self) -> Option<Instant> {
        self.since
    }

    pub(crate) fn size(self) -> u32 {
        self.size
    }

    /// Takes note that a worker that held nothing was given something.
    pub(crate) fn on_busy(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// Takes note of a report.
    pub(crate) fn on_results(&mut self, now: Instant, reported: Reported) {
        let Reported {
            items,
            left,
            waiting,
        } = reported;
        let since = self.since.replace(now);
        let took = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.items = self.items * KEPT + f64::from(items);
        self.seconds = self.seconds * KEPT + took.as_secs_f64();
        let fitting = self.fitting();
        let grown = self.size.saturating_mul(GROWTH).min(fitting).min(self.cap);
        if waiting && grown > self.size {
            self.size = grown;
        } else if left / 8 > items || fitting == 0 {
            self.size = (self.size / 2).max(self.floor);
        }
    }

    /// How many items fit into the time that a window is, as far as is known.
    fn fitting(&self) -> u32 {
        // Out of range is the nearest that is in it.
        let fitting =
            (self.items * self.ahead.as_secs_f64() / self.seconds.max(f64::MIN_POSITIVE)) as u32;
        match self.seconds <= self.items * QUICK.as_secs_f64() {
            true => fitting.max(2),
            false => fitting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(1);

    /// A window of a worker that was given something.
    fn window(floor: u32) -> (Window, Instant) {
        let (mut window, now) = (Window::new(AHEAD, floor, 1000), Instant::now());
        window.on_busy(now);
        (window, now)
    }

    /// The size when `items` have taken so long each and `left` are left.
    fn after(window: &mut Window, now: &mut Instant, items: u32, each: Duration, left: u32) -> u32 {
        *now += items * each;
        let waiting = true;
        let reported = Reported {
            items,
            left,
            waiting,
        };
        window.on_results(*now, reported);
        window.size
    }

    /// Case 40: A window grows to some milliseconds of work also when its worker is given one item for each it sends.
    #[test]
    fn a_worker_that_never_runs_dry_gets_more_too() {
        let (mut window, mut now) = window(2);
        let sizes = [(); 6].map(|()| after(&mut window, &mut now, 1, 100 * QUICK, 1));
        assert_eq!(
            sizes,
            [8, 32, 128, 499, 500, 500],
            "fifty milliseconds of a hundred microseconds each"
        );
        let size = (0..20).map(|_| after(&mut window, &mut now, 20, QUICK, 20));
        assert_eq!(size.last(), Some(1000), "to the most");
    }

    #[test]
    fn slow_items_are_not_sent_ahead() {
        for each in [51_000 * QUICK, 10_000_000 * QUICK] {
            for left in [0, 1] {
                let (mut window, mut now) = window(2);
                let sizes = [(); 3].map(|()| after(&mut window, &mut now, 1, each, left));
                assert_eq!(sizes, [2, 2, 2]);
            }
        }
    }

    #[test]
    fn a_hoarder_gets_less() {
        let (mut window, mut now) = window(2);
        window.size = 800;
        let sizes = [(); 3].map(|()| after(&mut window, &mut now, 1, 250 * QUICK, 700));
        assert_eq!(sizes, [400, 200, 100]);
        assert_eq!(after(&mut window, &mut now, 1, 10_000_000 * QUICK, 5), 50);
    }

    /// A thousand calls that wait for a tenth of a second end together: that is no pace of a thousand a millisecond.
    #[test]
    fn calls_that_end_in_bursts_are_not_quick() {
        let (mut window, mut now) = window(100);
        for _ in 0..10 {
            after(&mut window, &mut now, 1, 100_000 * QUICK, 99);
            for left in [66, 33, 10] {
                assert_eq!(after(&mut window, &mut now, 33, QUICK, left), 100);
            }
        }
    }

    #[test]
    fn room_comes_in_quarters() {
        let window = Window::new(AHEAD, 100, 100);
        assert_eq!(
            [100, 99, 76, 75, 50, 0].map(|held| window.room(held)),
            [0, 0, 0, 25, 50, 100]
        );
        let small = Window::new(AHEAD, 2, 2);
        assert_eq!([2, 1, 0].map(|held| small.room(held)), [0, 1, 2]);
    }

    #[test]
    fn nothing_waiting_means_nothing_to_grow_for() {
        let (mut window, now) = window(2);
        let reported = Reported {
            items: 1,
            left: 0,
            waiting: false,
        };
        window.on_results(now + QUICK, reported);
        assert_eq!(window.room(0), 2);
    }
}
