//! A line of those who wait: by priority, round robin among callers, then as they came.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Each who joins takes a turn: one more than the last of the same caller, and not less than the turn that is being
//! served (start-time fair queueing with all costs alike: Goyal, Vin and Cheng 1996). So a caller that asks now and then
//! goes before the second of one that has a thousand here.

mod rank;
mod turns;

use std::{cmp::Reverse, collections::BTreeMap};

use rank::TurnPlace;
use turns::Turns;

pub(crate) use rank::{Caller, Rank};

/// Where somebody is in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinePlace {
    rank: Rank,
    at: TurnPlace,
}

#[derive(Debug)]
pub(crate) struct FairLine<T> {
    /// Who waits, at each priority that somebody has waited at.
    turns: BTreeMap<Reverse<i8>, Turns<T>>,
    waiting: usize,
}

impl<T> Default for FairLine<T> {
    fn default() -> Self {
        Self {
            turns: BTreeMap::new(),
            waiting: 0,
        }
    }
}

impl<T> FairLine<T> {
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Adds one, under a number that no other has here and that is greater than those of all who came before.
    pub(crate) fn join(&mut self, rank: Rank, number: u64, one: T) -> LinePlace {
        let at = self.turns_of(rank).join(rank.caller, number, one);
        self.waiting += 1;
        LinePlace { rank, at }
    }

    /// Adds one that has had its turn before all others of its priority, except for those of lower numbers that came back too.
    pub(crate) fn rejoin(&mut self, rank: Rank, number: u64, one: T) -> LinePlace {
        let at = self.turns_of(rank).rejoin(rank.caller, number, one);
        self.waiting += 1;
        LinePlace { rank, at }
    }

    fn turns_of(&mut self, rank: Rank) -> &mut Turns<T> {
        self.turns.entry(Reverse(rank.priority)).or_default()
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.turns.values().find_map(Turns::first)
    }

    /// Takes out the one whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let one = self.turns.values_mut().find_map(Turns::pop)?;
        self.waiting -= 1;
        Some(one)
    }

    /// Takes out one that waits no longer.
    pub(crate) fn leave(&mut self, place: LinePlace) -> Option<T> {
        let LinePlace { rank, at } = place;
        let turns = self.turns.get_mut(&Reverse(rank.priority))?;
        let one = turns.leave(rank.caller, at)?;
        self.waiting -= 1;
        Some(one)
    }

    /// Takes out all, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.pop())
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
            line.turns.values().all(Turns::is_forgotten),
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
        assert!(line.turns[&Reverse(0)].callers() <= turns::REMEMBERED + 2);
    }

    /// Case M251: A line whose first one stays remembers none of those that came after it and left.
    #[test]
    fn those_that_left_are_not_kept() {
        let mut line = FairLine::default();
        line.join(rank(0, 1), 0, "first");
        let mut last = line.join(rank(0, 1), 1, "gone");
        for number in 2..10_000 {
            let next = line.join(rank(0, 1), number, "gone");
            assert_eq!(line.leave(last), Some("gone"));
            last = next;
        }
        assert!(line.turns[&Reverse(0)].kept() < 100);
        assert_eq!(all(&mut line), ["first", "gone"]);
        let mut first = line.join(rank(0, 1), 10_000, "gone");
        line.join(rank(0, 2), 10_001, "stays");
        for number in 10_002..20_000 {
            let next = line.join(rank(0, 1), number, "gone");
            assert_eq!(line.leave(first), Some("gone"));
            first = next;
        }
        assert!(line.turns[&Reverse(0)].kept() < 100);
    }

    /// As a line that is searched for the next one each time.
    struct Plain(
        Vec<(Rank, u64, u64)>,
        BTreeMap<(i8, Caller), u64>,
        BTreeMap<i8, u64>,
    );

    impl Plain {
        fn join(&mut self, rank: Rank, number: u64) {
            let served = self.2.get(&rank.priority).copied().unwrap_or_default();
            let next = self.1.entry((rank.priority, rank.caller)).or_default();
            let turn = (*next).max(served).max(1);
            *next = turn + 1;
            self.0.push((rank, turn, number));
        }

        fn pop(&mut self) -> Option<u64> {
            let key =
                |&(rank, turn, number): &(Rank, u64, u64)| (Reverse(rank.priority), turn, number);
            let at = (0..self.0.len()).min_by_key(|&at| key(&self.0[at]))?;
            let (rank, turn, number) = self.0.swap_remove(at);
            let served = self.2.entry(rank.priority).or_default();
            *served = turn.max(*served);
            self.left(rank);
            Some(number)
        }

        fn leave(&mut self, number: u64) {
            let at = self
                .0
                .iter()
                .position(|one| one.2 == number)
                .expect("it waits");
            let (rank, ..) = self.0.swap_remove(at);
            if !self.0.iter().any(|(other, ..)| *other == rank) {
                let served = self.2.get(&rank.priority).copied().unwrap_or_default();
                let next = self.1.entry((rank.priority, rank.caller)).or_default();
                *next = (*next).min(served + 1);
            }
            self.left(rank);
        }

        fn left(&mut self, rank: Rank) {
            if !self
                .0
                .iter()
                .any(|(other, ..)| other.priority == rank.priority)
            {
                self.2.remove(&rank.priority);
                self.1.retain(|(priority, _), _| *priority != rank.priority);
            }
        }
    }

    /// Whatever comes, goes and is served, all are served as in a line without any shortcuts.
    #[test]
    fn it_serves_as_a_plain_line_does() {
        let mut dice = mt_test_kit::Dice::seeded(7);
        for _ in 0..200 {
            let mut line = FairLine::default();
            let mut plain = Plain(Vec::new(), BTreeMap::new(), BTreeMap::new());
            let mut places = BTreeMap::new();
            for number in 0..200 {
                match dice.below(4) {
                    0 | 1 => {
                        let rank = rank(dice.below(2) as i8, dice.below(4));
                        places.insert(number, line.join(rank, number, number));
                        plain.join(rank, number);
                    }
                    2 => {
                        let popped = line.pop();
                        assert_eq!(popped, plain.pop());
                        popped.map(|number| places.remove(&number));
                    }
                    _ => {
                        let nth = dice.below(places.len().max(1) as u64) as usize;
                        let Some((&number, &place)) = places.iter().nth(nth) else {
                            continue;
                        };
                        assert_eq!(line.leave(place), Some(number));
                        places.remove(&number);
                        plain.leave(number);
                    }
                }
                assert_eq!(line.len(), places.len());
            }
            while let Some(number) = plain.pop() {
                assert_eq!(
                    (line.first().copied(), line.pop()),
                    (Some(number), Some(number))
                );
            }
            assert!(line.is_empty() && line.first().is_none());
        }
    }
}
