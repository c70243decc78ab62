//! A line of those who wait: by priority, round robin among callers, then as they came.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Each who joins takes a turn: one more than the last of the same caller, and not less than the turn that is being
//! served (start-time fair queueing with all costs alike: Goyal, Vin and Cheng 1996). So a caller that asks now and then
//! goes before the second of one that has a thousand here.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

/// The callers with nothing in a line whose last turn is remembered. One that is forgotten may go first once too often.
const REMEMBERED: usize = 4096;

/// On whose behalf somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// On that of a clone of the pool.
    Clone(u64),
    /// On that of whomever the user has named so.
    Named(u64),
}

impl Default for Caller {
    fn default() -> Self {
        Self::Clone(0)
    }
}

/// Who asks, and how urgently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rank {
    /// The greater goes first.
    pub(crate) priority: i8,
    pub(crate) caller: Caller,
}

/// Where somebody is in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinePlace {
    priority: Reverse<i8>,
    turn: u64,
    number: u64,
}

#[derive(Debug)]
pub(crate) struct FairLine<T> {
    waiting: BTreeMap<LinePlace, (Caller, T)>,
    /// What is known of the callers, for each priority at which somebody waits.
    turns: BTreeMap<i8, Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    /// The turn that is being served.
    served: u64,
    callers: HashMap<Caller, CallerTurns>,
    waiting: usize,
}

#[derive(Debug, Default)]
struct CallerTurns {
    /// The turn that its next one takes at the earliest.
    next: u64,
    waiting: usize,
}

impl<T> Default for FairLine<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            turns: BTreeMap::new(),
        }
    }
}

impl<T> FairLine<T> {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds one, under a number that no other has here and that is greater than those of all who came before.
    pub(crate) fn join(&mut self, rank: Rank, number: u64, one: T) -> LinePlace {
        let turns = self.turns.entry(rank.priority).or_default();
        let turn = turns.take(rank.caller);
        self.insert(rank, turn, number, one)
    }

    /// Adds one that has had its turn before all others of its priority, except for those of lower numbers that came back too.
    pub(crate) fn rejoin(&mut self, rank: Rank, number: u64, one: T) -> LinePlace {
        let turns = self.turns.entry(rank.priority).or_default();
        turns.callers.entry(rank.caller).or_default().waiting += 1;
        self.insert(rank, 0, number, one)
    }

    fn insert(&mut self, rank: Rank, turn: u64, number: u64, one: T) -> LinePlace {
        let place = LinePlace {
            priority: Reverse(rank.priority),
            turn,
            number,
        };
        self.turns.entry(rank.priority).or_default().waiting += 1;
        self.waiting.insert(place, (rank.caller, one));
        place
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.waiting.first_key_value().map(|(_, (_, one))| one)
    }

    /// Takes out the one whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (place, (caller, one)) = self.waiting.pop_first()?;
        self.left(place, caller, |turns| {
            turns.served = turns.served.max(place.turn);
        });
        Some(one)
    }

    /// Takes out one that waits no longer.
    pub(crate) fn leave(&mut self, place: LinePlace) -> Option<T> {
        let (caller, one) = self.waiting.remove(&place)?;
        self.left(place, caller, |turns| {
            let served = turns.served;
            if let Some(caller) = turns.callers.get_mut(&caller)
                && caller.waiting == 0
            {
                // What it has not had is not held against it.
                caller.next = caller.next.min(served + 1);
            }
        });
        Some(one)
    }

    fn left(&mut self, place: LinePlace, caller: Caller, then: impl FnOnce(&mut Turns)) {
        let Reverse(priority) = place.priority;
        let Some(turns) = self.turns.get_mut(&priority) else {
            return;
        };
        turns.waiting -= 1;
        if turns.waiting == 0 {
            self.turns.remove(&priority);
            return;
        }
        if let Some(caller) = turns.callers.get_mut(&caller) {
            caller.waiting -= 1;
        }
        then(turns);
    }

    /// Takes out all, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.turns.clear();
        std::mem::take(&mut self.waiting)
            .into_values()
            .map(|(_, one)| one)
    }
}

impl Turns {
    fn take(&mut self, caller: Caller) -> u64 {
        if self.callers.len() >= REMEMBERED + self.waiting {
            let served = self.served;
            self.callers
                .retain(|_, caller| caller.waiting > 0 || caller.next > served + 1);
        }
        if self.callers.len() >= REMEMBERED + self.waiting {
            self.callers.retain(|_, caller| caller.waiting > 0);
        }
        let served = self.served;
        let caller = self.callers.entry(caller).or_default();
        let turn = caller.next.max(served).max(1);
        caller.next = turn + 1;
        caller.waiting += 1;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(priority: i8, caller: u64) -> Rank {
        let caller = Caller::Named(caller);
        Rank { priority, caller }
    }

    fn all(line: &mut FairLine<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| line.pop()).collect()
    }

    /// Case M200: Callers take turns, however many calls one of them has waiting; the more urgent go first.
    #[test]
    fn callers_take_turns() {
        let mut line = FairLine::default();
        for number in 0..4 {
            line.join(rank(0, 1), number, "flood");
        }
        line.join(rank(0, 2), 4, "now and then");
        line.join(rank(0, 2), 5, "now and then");
        line.join(rank(1, 3), 6, "urgent");
        line.join(rank(-1, 3), 7, "some time");
        let (flood, rare) = ("flood", "now and then");
        assert_eq!(
            all(&mut line),
            [
                "urgent",
                flood,
                rare,
                flood,
                rare,
                flood,
                flood,
                "some time"
            ]
        );
        assert!(
            line.turns.is_empty(),
            "nothing is remembered of an empty line"
        );
    }

    /// One that comes back as soon as it was served does not go before all others for ever.
    #[test]
    fn who_comes_back_waits_its_turn() {
        let mut line = FairLine::default();
        (0..1000).for_each(|number| {
            line.join(rank(0, 1), number, "flood");
        });
        let mut served = Vec::new();
        for number in 1000..1100 {
            line.join(rank(0, 2), number, "one at a time");
            served.extend([line.pop(), line.pop()]);
        }
        let of = |who| served.iter().filter(|one| **one == Some(who)).count();
        assert_eq!((of("flood"), of("one at a time")), (100, 100));
    }

    #[test]
    fn who_leaves_is_forgotten_and_who_comes_back_goes_first() {
        let mut line = FairLine::default();
        line.join(rank(0, 1), 0, "a");
        let places: Vec<_> = (1..100).map(|n| line.join(rank(0, 2), n, "gone")).collect();
        for place in places {
            assert_eq!(line.leave(place), Some("gone"));
            assert_eq!(line.leave(place), None);
        }
        line.join(rank(0, 2), 100, "b");
        line.join(rank(0, 1), 101, "c");
        line.rejoin(rank(0, 1), 3, "second");
        line.rejoin(rank(0, 2), 2, "first");
        assert_eq!(all(&mut line), ["first", "second", "a", "b", "c"]);
    }

    /// Case M201: However many callers there were, a line that is never empty remembers a bounded number.
    #[test]
    fn callers_are_forgotten() {
        let mut line = FairLine::default();
        line.join(rank(0, 0), 0, "x");
        for number in 1..20_000 {
            line.join(rank(0, number), number, "x");
            line.pop();
        }
        assert!(line.turns[&0].callers.len() <= REMEMBERED + 2);
    }
}
