//! How long the items of one worker have been running, from looks at how far it is.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A worker counts what it starts in a page of memory it shares with the pool. The pool looks now and
//! then: whatever was started by the time of a look runs since then at the latest. That costs nothing
//! an item, and needs no word from a worker that may be stuck; in exchange a deadline is noticed up to
//! one look late.
//!
//! Calls of an `async fn` share one thread, and one that blocks it holds up all others. So the page also
//! tells which call has the thread. As long as a call keeps it, the time of the others stands still.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::event::{Look, Turn};

/// What the looks at one worker tell.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// When, and how many had been started by then: one for every time the count had grown, as long as
    /// some item started before it is not done. So there are never more than the worker holds items.
    looks: VecDeque<(Instant, u64)>,
    /// Items that have held others up, and since when they run: the others were given that time back.
    holders: Vec<(u64, Instant)>,
    /// The call that had the thread at the last look.
    stay: Option<Stay>,
    /// The items finished by the last look, if they are finished in the order they are started.
    finished: u64,
}

/// A call that has the thread.
#[derive(Debug, Clone, Copy)]
struct Stay {
    turn: Turn,
    /// The first look that saw it, and the last.
    from: Instant,
    to: Instant,
}

/// Which of a worker's items have been running for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late {
    /// All from the first of these up to the second that are not done.
    pub(crate) from: u64,
    pub(crate) before: u64,
    /// And this one.
    pub(crate) holder: Option<u64>,
}

impl Late {
    /// Whether the item at this place is one of them.
    pub(crate) fn contains(self, place: u64) -> bool {
        (self.from..self.before).contains(&place) || self.holder == Some(place)
    }
}

impl Starts {
    /// Takes note of how far the worker is. `done` are the first items that are all done, `open` tells
    /// whether one is not.
    pub(crate) fn look(&mut self, now: Instant, look: Look, done: u64, open: impl Fn(u64) -> bool) {
        self.finished = if look.in_order { look.finished } else { 0 };
        self.settle(done);
        let turn = look.turn.filter(|turn| turn.place < look.started);
        self.follow(now, turn.filter(|turn| open(turn.place)));
        self.holders.retain(|&(place, _)| open(place));
        if look.finished >= look.started {
            // Nothing runs: the results are on their way.
            self.looks.clear();
        }
        let known = self
            .looks
            .back()
            .map_or(done.max(look.finished), |&(_, count)| count);
        if look.started > known {
            self.looks.push_back((now, look.started));
        }
    }

    /// Takes note of which call has the thread.
    fn follow(&mut self, now: Instant, turn: Option<Turn>) {
        if let Some(stay) = &mut self.stay
            && Some(stay.turn) == turn
        {
            stay.to = now;
            return;
        }
        let from = |turn| Stay {
            turn,
            from: now,
            to: now,
        };
        if let Some(stay) = std::mem::replace(&mut self.stay, turn.map(from)) {
            self.give_back(stay);
        }
    }

    /// A call has let go of the thread: the others get the time back, it does not.
    fn give_back(&mut self, stay: Stay) {
        let held_up = stay.to - stay.from;
        if held_up.is_zero() {
            return;
        }
        let place = stay.turn.place;
        let known = self.holders.iter().any(|&(holder, _)| holder == place);
        let since = self.since(place).filter(|_| !known);
        self.holders.extend(since.map(|since| (place, since)));
        for (since, _) in &mut self.looks {
            *since += held_up;
        }
    }

    /// Since when the item at this place runs.
    fn since(&self, place: u64) -> Option<Instant> {
        let holder = self.holders.iter().find(|&&(holder, _)| holder == place);
        let look = || self.looks.iter().find(|&&(_, count)| place < count);
        holder.map(|&(_, since)| since).or_else(|| Some(look()?.0))
    }

    /// Forgets looks all of whose items are done.
    fn settle(&mut self, done: u64) {
        let done = done.max(self.finished);
        while self.looks.front().is_some_and(|&(_, count)| count <= done) {
            self.looks.pop_front();
        }
    }

    /// The items that have been running for `limit`, if there are any. `done` and `open` as in
    /// [`look`](Self::look).
    pub(crate) fn late(
        &mut self,
        now: Instant,
        limit: Duration,
        done: u64,
        open: impl Fn(u64) -> bool,
    ) -> Option<Late> {
        self.settle(done);
        if self.stay.is_some_and(|stay| !open(stay.turn.place)) {
            self.follow(now, None);
        }
        self.holders.retain(|&(place, _)| open(place));
        let clock = self.stay.map_or(now, |stay| stay.from);
        let looks = self.looks.iter();
        let late = looks
            .take_while(|&&(since, _)| since + limit <= clock)
            .last();
        let stays = self
            .stay
            .map(|stay| stay.turn.place)
            .filter(|&place| open(place));
        let stays =
            stays.filter(|&place| self.since(place).is_some_and(|since| since + limit <= now));
        let held = self
            .holders
            .iter()
            .find(|&&(_, since)| since + limit <= clock);
        let holder = stays.or(held.map(|&(place, _)| place));
        (late.is_some() || holder.is_some()).then(|| Late {
            from: self.finished,
            before: late.map_or(0, |&(_, count)| count),
            holder,
        })
    }

    /// When the next will have been running for `limit`, if no call keeps the thread until then.
    pub(crate) fn due(&self, limit: Duration) -> Option<Instant> {
        let since = match &self.stay {
            // The time of all others stands still.
            Some(stay) => self.since(stay.turn.place),
            None => {
                let holders = self.holders.iter().map(|&(_, since)| since).min();
                self.looks
                    .front()
                    .map(|&(since, _)| since)
                    .into_iter()
                    .chain(holders)
                    .min()
            }
        };
        since.map(|since| since + limit)
    }

    /// Time that nobody could use does not count.
    pub(crate) fn forgive(&mut self, time: Duration) {
        let looks = self.looks.iter_mut().map(|(since, _)| since);
        let holders = self.holders.iter_mut().map(|(_, since)| since);
        let stay = self
            .stay
            .iter_mut()
            .flat_map(|stay| [&mut stay.from, &mut stay.to]);
        for since in looks.chain(holders).chain(stay) {
            *since += time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn look(started: u64, turn: Option<(u64, u64)>) -> Look {
        Look {
            started,
            finished: 0,
            turn: turn.map(|(place, number)| Turn { place, number }),
            in_order: false,
        }
    }

    fn late(before: u64, holder: Option<u64>) -> Option<Late> {
        Some(Late {
            from: 0,
            before,
            holder,
        })
    }

    fn all(_: u64) -> bool {
        true
    }

    #[test]
    fn what_runs_since_a_look_is_late_when_the_limit_has_passed_since_that_look() {
        let t = Instant::now();
        let mut starts = Starts::default();
        starts.look(t, look(3, None), 0, all);
        starts.look(t + ms(10), look(5, None), 0, all);
        assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
        assert_eq!(starts.late(t + ms(99), LIMIT, 0, all), None);
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(3, None));
        assert_eq!(starts.late(t + ms(110), LIMIT, 0, all), late(5, None));
    }

    #[test]
    fn what_is_done_in_time_is_not_late_and_leaves_nothing() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..1000 {
            starts.look(t + ms(n), look(n + 1, None), n, all);
        }
        assert_eq!(starts.looks.len(), 1, "as many as are running");
        assert_eq!(starts.late(t + ms(5000), LIMIT, 1000, all), None);
        assert_eq!(starts.due(LIMIT), None);
    }

    #[test]
    fn what_is_finished_and_on_its_way_is_not_late() {
        let t = Instant::now();
        let mut starts = Starts::default();
        starts.look(t, look(2, None), 0, all);
        let finished = Look {
            finished: 2,
            ..look(2, None)
        };
        starts.look(t + ms(99), finished, 0, all);
        assert_eq!(starts.late(t + ms(500), LIMIT, 0, all), None);
        starts.look(
            t + ms(500),
            Look {
                started: 3,
                ..finished
            },
            0,
            all,
        );
        assert_eq!(starts.late(t + ms(600), LIMIT, 0, all), late(3, None));
    }

    /// What quick calls before it have returned may wait with a call that never returns.
    #[test]
    fn who_runs_alone_is_alone_late() {
        let t = Instant::now();
        let mut starts = Starts::default();
        let alone = |started| Look {
            finished: started - 1,
            in_order: true,
            ..look(started, None)
        };
        starts.look(t, alone(1000), 0, all);
        starts.look(t + ms(10), alone(2000), 0, all);
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), None);
        let late = starts.late(t + ms(110), LIMIT, 0, all).expect("it is");
        assert_eq!(
            [1998, 1999, 2000].map(|p| late.contains(p)),
            [false, true, false]
        );
    }

    #[test]
    fn a_look_that_sees_nothing_new_does_not_start_the_clock_again() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..100 {
            starts.look(t + ms(n), look(1, None), 0, all);
        }
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(1, None));
        starts.forgive(LIMIT);
        assert_eq!(starts.late(t + ms(199), LIMIT, 0, all), None);
    }

    #[test]
    fn who_keeps_the_thread_is_late_and_who_is_held_up_is_not() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..10 {
            starts.look(t + ms(10 * n), look(8, Some((5, 1))), 0, all);
        }
        assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(0, Some(5)));
    }

    #[test]
    fn many_short_turns_hold_nobody_up() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..=10 {
            starts.look(t + ms(10 * n), look(8, Some((n % 8, n))), 0, all);
        }
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(8, Some(2)));
    }

    /// Two calls; the second keeps the thread for 80 ms and lets go.
    #[test]
    fn time_that_was_held_up_is_given_back_but_not_to_who_held_it() {
        let t = Instant::now();
        let mut starts = Starts::default();
        starts.look(t, look(2, None), 0, all);
        for n in 1..=9 {
            starts.look(t + ms(10 * n), look(2, Some((1, 7))), 0, all);
        }
        starts.look(t + ms(95), look(2, None), 0, all);
        assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(0, Some(1)));
        let open = |place| place != 1;
        assert_eq!(starts.late(t + ms(179), LIMIT, 0, open), None);
        assert_eq!(starts.late(t + ms(180), LIMIT, 0, open), late(2, None));
    }

    #[test]
    fn a_turn_of_nobody_is_none() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..10 {
            let mad = [(u64::MAX, 1), (0, 1)][usize::from(n % 2 == 0)];
            starts.look(t + ms(10 * n), look(2, Some(mad)), 0, |place| place == 1);
        }
        assert_eq!(
            starts.late(t + ms(100), LIMIT, 0, |place| place == 1),
            late(2, None)
        );
    }

    #[test]
    fn a_turn_ends_with_its_item() {
        let t = Instant::now();
        let mut starts = Starts::default();
        for n in 0..=9 {
            starts.look(t + ms(10 * n), look(2, Some((1, 1))), 0, all);
        }
        let open = |place| place == 0;
        assert_eq!(starts.late(t + ms(100), LIMIT, 0, open), None);
        assert_eq!(starts.due(LIMIT), Some(t + ms(190)));
    }
}
