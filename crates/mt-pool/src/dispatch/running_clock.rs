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
//! tells which call has the thread. As long as a call keeps it, the time of the others stands still; as long as the
//! worker has it for what is no call's, the time of all does.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use mt_ipc::Turn;

/// The longest that a worker's thread may be busy with what is no call's and no context's: looking up the names of a
/// call stack. What takes longer is charged again, to whatever runs.
const MOST_ASIDE: Duration = Duration::from_secs(10);

/// How far a worker is, by its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// The items it has started, in the order they were sent.
    pub(crate) started: u64,
    pub(crate) finished: u64,
    /// Whether it finishes one before it starts the next.
    pub(crate) in_order: bool,
    /// The call that has the thread, where calls share one.
    pub(crate) turn: Option<Turn>,
}

/// What the looks at one worker tell.
#[derive(Debug, Default)]
pub(crate) struct RunningClock {
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

impl Stay {
    /// How long it may be charged to nobody, if it is no call's and has an end of that kind.
    fn aside(&self) -> Option<Duration> {
        (self.turn.is_nobodys() && !self.turn.is_close()).then_some(MOST_ASIDE)
    }
}

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

impl RunningClock {
    /// Takes note of how far the worker is. `done` are the first items that are all done, `open` tells
    /// whether one is not.
    pub(crate) fn look(&mut self, now: Instant, look: Look, done: u64, open: impl Fn(u64) -> bool) {
        self.finished = if look.in_order { look.finished } else { 0 };
        self.settle(done);
        let is_real = |turn: &Turn| turn.place < look.started && open(turn.place);
        let turn = look.turn.filter(|turn| turn.is_nobodys() || is_real(turn));
        self.follow(now, turn);
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
        let held_up = match stay.aside() {
            Some(most) => (stay.to - stay.from).min(most),
            None => stay.to - stay.from,
        };
        if held_up.is_zero() {
            return;
        }
        if stay.turn.is_nobodys() {
            let looks = self.looks.iter_mut().map(|(since, _)| since);
            let holders = self.holders.iter_mut().map(|(_, since)| since);
            looks.chain(holders).for_each(|since| *since += held_up);
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
        let is_over = |turn: Turn| !turn.is_nobodys() && !open(turn.place);
        if self.stay.is_some_and(|stay| is_over(stay.turn)) {
            self.follow(now, None);
        }
        self.holders.retain(|&(place, _)| open(place));
        let clock = self.stay.map_or(now, |stay| match stay.aside() {
            Some(most) => stay.from.max(now.checked_sub(most).unwrap_or(now)),
            None => stay.from,
        });
        let looks = self.looks.iter();
        let late = looks
            .take_while(|&&(since, _)| since + limit <= clock)
            .last();
        let ran_out = |&place: &u64| self.since(place).is_some_and(|since| since + limit <= now);
        let stays = self
            .stay
            .map(|stay| stay.turn)
            .filter(|turn| !turn.is_nobodys());
        let stays = stays.map(|turn| turn.place).filter(ran_out);
        let mut holders = self.holders.iter();
        let held = holders.find(|&&(_, since)| since + limit <= clock);
        let holder = stays.or(held.map(|&(place, _)| place));
        (late.is_some() || holder.is_some()).then(|| Late {
            from: self.finished,
            before: late.map_or(0, |&(_, count)| count),
            holder,
        })
    }

    /// Whether a call had the thread at the last look.
    pub(crate) fn has_thread(&self, place: u64) -> bool {
        let turn = self.stay.map(|stay| stay.turn);
        turn.is_some_and(|turn| !turn.is_nobodys() && turn.place == place)
    }

    /// Since when a context that is being closed keeps the thread, if one does.
    pub(crate) fn closes_since(&self) -> Option<Instant> {
        let stay = self.stay.filter(|stay| stay.turn.is_close());
        stay.map(|stay| stay.from)
    }

    /// When the next will have been running for `limit`, if no call keeps the thread until then.
    pub(crate) fn due(&self, limit: Duration) -> Option<Instant> {
        let since = match &self.stay {
            // The time of all stands still, until the context's own deadline, or for so long.
            Some(stay) if stay.turn.is_nobodys() => {
                let first = self.first_since();
                first.zip(stay.aside()).map(|(since, most)| since + most)
            }
            // The time of all others does.
            Some(stay) => self.since(stay.turn.place),
            None => self.first_since(),
        };
        since.map(|since| since + limit)
    }

    fn first_since(&self) -> Option<Instant> {
        let holders = self.holders.iter().map(|&(_, since)| since);
        let first = self.looks.front().map(|&(since, _)| since);
        first.into_iter().chain(holders).min()
    }

    /// Time that nobody could use does not count.
    pub(crate) fn forgive(&mut self, time: Duration) {
        let looks = self.looks.iter_mut().map(|(since, _)| since);
        let holders = self.holders.iter_mut().map(|(_, since)| since);
        let stay = self.stay.iter_mut();
        let stay = stay.flat_map(|stay| [&mut stay.from, &mut stay.to]);
        for since in looks.chain(holders).chain(stay) {
            *since += time;
        }
    }
}

#[cfg(test)]
mod tests;
