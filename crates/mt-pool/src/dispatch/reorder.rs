//! Holds outcomes back until those of all earlier items are out.
//!
//! Pure: no IO, no clock, no runtime.

use std::collections::BTreeMap;

use mt_proto::ItemIndex;

use super::Delivery;

/// Puts deliveries in the order of the input. What it holds is bounded by the items in flight, which
/// the consumer's credit bounds.
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    next: ItemIndex,
    early: BTreeMap<ItemIndex, Delivery>,
}

impl Reorder {
    /// Takes an outcome in; [`pop`](Self::pop) tells what may go out.
    pub(crate) fn push(&mut self, delivery: Delivery) {
        debug_assert!(delivery.first() >= self.next, "an outcome came twice");
        self.early.insert(delivery.first(), delivery);
    }

    /// The next outcome in order, if it is here.
    pub(crate) fn pop(&mut self) -> Option<Delivery> {
        let entry = self.early.first_entry()?;
        if *entry.key() != self.next {
            return None;
        }
        let delivery = entry.remove();
        self.next = self.next.plus(u64::from(delivery.count()));
        Some(delivery)
    }

    /// Whether nothing is held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.early.is_empty()
    }
}
