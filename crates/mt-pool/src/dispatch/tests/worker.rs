//! A worker as the machine believes them to be: takes items, starts them in order, finishes them in
//! any order, and may be gone at any moment.

use std::collections::{BTreeSet, VecDeque};

use mt_proto::ItemIndex;

use super::super::running_clock::Late;
use crate::supervision::DeathCause;

#[derive(Debug, Default)]
pub(super) struct ModelWorker {
    pub(super) ready: bool,
    /// Told to go.
    pub(super) retired: bool,
    /// The item from which on it starts none.
    pub(super) gate: Option<ItemIndex>,
    /// To be killed, and why.
    pub(super) killed: Option<DeathCause>,
    /// The places of the items that are past their deadline, when it is killed for them.
    pub(super) overrun: Option<Late>,
    /// The prepared tasks that it was told of.
    pub(super) prepared: BTreeSet<u64>,
    /// The items it was sent, in order.
    pub(super) order: Vec<u64>,
    /// How many it was sent, and has started.
    pub(super) sent: u64,
    pub(super) started: u64,
    pub(super) unstarted: VecDeque<u64>,
    /// The places of those among these that it has given back.
    given_back: BTreeSet<u64>,
    pub(super) running: BTreeSet<u64>,
    /// The items that it has finished, in the order they were sent, and has not told of.
    pub(super) unsent: BTreeSet<u64>,
    /// One that it has finished.
    pub(super) finished: Option<u64>,
    /// The pieces that are not done, each with the items it has left.
    pieces: Vec<BTreeSet<u64>>,
}

impl ModelWorker {
    pub(super) fn give(&mut self, items: &[u64]) {
        self.sent += items.len() as u64;
        self.order.extend(items);
        self.unstarted.extend(items);
        self.pieces.push(items.iter().copied().collect());
    }

    /// Starts the next item.
    pub(super) fn start(&mut self) -> Option<u64> {
        while self.given_back.remove(&self.started) {
            self.unstarted.pop_front();
            self.started += 1;
        }
        let open = |item: &mut u64| self.gate.is_none_or(|gate| *item < gate.0);
        let item = self.unstarted.pop_front_if(open)?;
        self.started += 1;
        self.running.insert(item);
        Some(item)
    }

    /// Gives back an item that it has not started.
    pub(super) fn give_back(&mut self, item: u64) -> bool {
        let at = self.unstarted.iter().rposition(|&i| i == item);
        let place = at.map(|at| self.started + at as u64);
        let Some(place) = place.filter(|place| !self.given_back.contains(place)) else {
            return false;
        };
        self.given_back.insert(place);
        self.take_out(item);
        true
    }

    pub(super) fn finish(&mut self, item: u64) {
        let ran = self.running.remove(&item) || self.unsent.remove(&item);
        assert!(ran, "{item} runs");
        self.finished = Some(item);
        self.take_out(item);
    }

    fn take_out(&mut self, item: u64) {
        for piece in &mut self.pieces {
            piece.remove(&item);
        }
        self.pieces.retain(|piece| !piece.is_empty());
    }

    /// Where an item is in the order they were sent; one that came twice was done the first time.
    pub(super) fn place(&self, item: u64) -> Option<u64> {
        let place = self.order.iter().rposition(|&i| i == item);
        place.map(|place| place as u64)
    }

    /// Whether an item is one of those that are past their deadline.
    pub(super) fn is_late(&self, item: u64) -> bool {
        let place = self.place(item);
        place.is_some_and(|place| self.overrun.is_some_and(|late| late.contains(place)))
    }

    /// Whether it has nothing to do until it is told something.
    pub(super) fn waits(&self) -> bool {
        let shut = self.gate.is_some()
            && self.running.is_empty()
            && self.unsent.is_empty()
            && self
                .unstarted
                .front()
                .is_some_and(|item| self.gate.is_some_and(|gate| *item >= gate.0));
        self.ready && !self.retired && self.killed.is_none() && (self.held() == 0 || shut)
    }

    pub(super) fn held(&self) -> usize {
        self.unstarted.len() - self.given_back.len() + self.running.len() + self.unsent.len()
    }

    pub(super) fn held_pieces(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn holds(&self, item: u64) -> bool {
        self.pieces.iter().any(|piece| piece.contains(&item))
    }
}
