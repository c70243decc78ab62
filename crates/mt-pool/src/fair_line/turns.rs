//! Who waits at one priority: a queue for each caller, and whose turn it is.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque, binary_heap::PeekMut},
};

use super::rank::{Caller, TurnPlace};

/// The callers with nothing in a line whose last turn is remembered. One that is forgotten may go first once too often.
pub(super) const REMEMBERED: usize = 4096;
/// The callers whose queues are kept when nobody waits, and the room of each of these queues.
const KEPT_CALLERS: usize = 4;
const KEPT_ROOM: usize = 64;
/// The places of who left, among those of who waits, that are not worth closing the gaps.
const GAPS: usize = 32;

#[derive(Debug)]
pub(super) struct Turns<T> {
    /// The turn that is being served.
    served: u64,
    callers: BTreeMap<Caller, CallerTurns<T>>,
    /// The first in each caller's queue, and places that were that until they were left. The first of all is the first in a
    /// queue.
    heads: BinaryHeap<Reverse<(TurnPlace, Caller)>>,
    /// Who came back, by number.
    back: BTreeMap<u64, (Caller, T)>,
    waiting: usize,
}

#[derive(Debug)]
struct CallerTurns<T> {
    /// The turn that its next one takes at the earliest.
    next: u64,
    waiting: usize,
    /// The caller's own, in their order. Where one left is `None`; the first and the last place are not.
    queue: VecDeque<(TurnPlace, Option<T>)>,
    /// How many of these left.
    gaps: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self {
            served: 0,
            callers: BTreeMap::new(),
            heads: BinaryHeap::new(),
            back: BTreeMap::new(),
            waiting: 0,
        }
    }
}

impl<T> Default for CallerTurns<T> {
    fn default() -> Self {
        Self {
            next: 0,
            waiting: 0,
            queue: VecDeque::new(),
            gaps: 0,
        }
    }
}

impl<T> Turns<T> {
    pub(super) fn join(&mut self, caller: Caller, number: u64, one: T) -> TurnPlace {
        self.forget_some();
        let served = self.served;
        let turns = self.callers.entry(caller).or_default();
        let turn = turns.next.max(served).max(1);
        let place = TurnPlace { turn, number };
        turns.next = turn + 1;
        turns.waiting += 1;
        if turns.queue.is_empty() {
            self.heads.push(Reverse((place, caller)));
        }
        turns.queue.push_back((place, Some(one)));
        self.waiting += 1;
        place
    }

    pub(super) fn rejoin(&mut self, caller: Caller, number: u64, one: T) -> TurnPlace {
        self.callers.entry(caller).or_default().waiting += 1;
        self.back.insert(number, (caller, one));
        self.waiting += 1;
        TurnPlace { turn: 0, number }
    }

    pub(super) fn first(&self) -> Option<&T> {
        if let Some((_, (_, one))) = self.back.first_key_value() {
            return Some(one);
        }
        let Reverse((_, caller)) = self.heads.peek()?;
        let (_, one) = self.callers.get(caller)?.queue.front()?;
        one.as_ref()
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        if self.waiting == 0 {
            return None;
        }
        let (caller, one) = match self.back.pop_first() {
            Some((_, back)) => back,
            None => {
                let mut first = self.heads.peek_mut()?;
                let Reverse((place, caller)) = *first;
                self.served = self.served.max(place.turn);
                let turns = self.callers.get_mut(&caller)?;
                let (_, one) = turns.queue.pop_front()?;
                match turns.new_head() {
                    Some(head) => {
                        *first = Reverse((head, caller));
                        // Finds its place.
                        drop(first);
                    }
                    None => drop(PeekMut::pop(first)),
                }
                self.skip_left();
                (caller, one?)
            }
        };
        self.left(caller);
        Some(one)
    }

    pub(super) fn leave(&mut self, caller: Caller, place: TurnPlace) -> Option<T> {
        let turns = self.callers.get_mut(&caller)?;
        let one = if place.turn == 0 {
            self.back.remove(&place.number)?.1
        } else {
            let at = turns.queue.binary_search_by_key(&place, |(at, _)| *at);
            let at = at.ok()?;
            let one = turns.queue[at].1.take()?;
            turns.gaps += 1;
            let head = (at == 0).then(|| turns.new_head()).flatten();
            turns.close_gaps();
            self.heads.extend(head.map(|head| Reverse((head, caller))));
            self.skip_left();
            one
        };
        self.left(caller);
        if let Some(turns) = self.callers.get_mut(&caller)
            && turns.waiting == 0
        {
            // What it has not had is not held against it.
            turns.next = turns.next.min(self.served + 1);
        }
        Some(one)
    }

    /// Has the first of all be the first in a queue, and few be none.
    fn skip_left(&mut self) {
        let callers = &self.callers;
        let is_head = |Reverse((place, caller)): &Reverse<(TurnPlace, Caller)>| {
            let queue = callers.get(caller).map(|turns| &turns.queue);
            queue.is_some_and(|queue| queue.front().is_some_and(|(at, _)| at == place))
        };
        while self.heads.peek().is_some_and(|first| !is_head(first)) {
            self.heads.pop();
        }
        if self.heads.len() > 2 * callers.len() + GAPS {
            self.heads.retain(is_head);
        }
    }

    /// One of a caller's waits no longer.
    fn left(&mut self, caller: Caller) {
        self.waiting -= 1;
        if let Some(turns) = self.callers.get_mut(&caller) {
            turns.waiting -= 1;
        }
        if self.waiting == 0 {
            self.forget();
        }
    }

    /// Nobody waits: nothing is remembered, but the room of a few is kept for who comes next.
    fn forget(&mut self) {
        self.served = 0;
        if self.callers.len() > KEPT_CALLERS {
            self.callers.clear();
            self.heads.shrink_to(KEPT_CALLERS);
        }
        for turns in self.callers.values_mut() {
            turns.next = 0;
            turns.queue.shrink_to(KEPT_ROOM);
        }
    }

    /// Bounds the callers of whom no more is known than when they last had a turn.
    fn forget_some(&mut self) {
        if self.callers.len() < REMEMBERED + self.waiting {
            return;
        }
        let served = self.served;
        self.callers
            .retain(|_, turns| turns.waiting > 0 || turns.next > served + 1);
        if self.callers.len() >= REMEMBERED + self.waiting {
            self.callers.retain(|_, turns| turns.waiting > 0);
        }
    }
}

impl<T> CallerTurns<T> {
    /// The place of the first one, after it was taken out.
    fn new_head(&mut self) -> Option<TurnPlace> {
        while let Some((place, one)) = self.queue.front() {
            if one.is_some() {
                return Some(*place);
            }
            self.queue.pop_front();
            self.gaps -= 1;
        }
        None
    }

    fn close_gaps(&mut self) {
        while self.queue.back().is_some_and(|(_, one)| one.is_none()) {
            self.queue.pop_back();
            self.gaps -= 1;
        }
        if self.gaps > self.queue.len() / 2 + GAPS {
            self.queue.retain(|(_, one)| one.is_some());
            self.gaps = 0;
        }
    }
}

#[cfg(test)]
impl<T> Turns<T> {
    pub(super) fn callers(&self) -> usize {
        self.callers.len()
    }

    /// The places in queues, with those of who left.
    pub(super) fn kept(&self) -> usize {
        let queues = self.callers.values().map(|turns| turns.queue.len());
        queues.sum::<usize>() + self.heads.len()
    }

    pub(super) fn is_forgotten(&self) -> bool {
        let known = |turns: &CallerTurns<T>| turns.next > 0 || !turns.queue.is_empty();
        self.served == 0 && self.heads.is_empty() && !self.callers.values().any(known)
    }
}
