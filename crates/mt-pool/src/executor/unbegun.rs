//! The calls that a worker has and has not begun, in the order in which they came.
//!
//! The link and the main thread both take from it: whoever takes a call begins it, or says that it is not begun. So the link
//! can give a call back while another one keeps the main thread.

use std::{collections::VecDeque, sync::Mutex};

use mt_proto::{ItemIndex, Segment};

use crate::lock::lock;

#[derive(Debug, Default)]
pub(crate) struct Unbegun(Mutex<VecDeque<Part>>);

/// Calls that came one after the other, and were numbered so.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// How many had come before.
    place: u64,
    first: u64,
    count: u64,
}

impl Unbegun {
    /// Link: these have come, after so many others.
    pub(super) fn add(&self, place: u64, calls: &Segment) {
        lock(&self.0).push_back(Part {
            place,
            first: calls.first.0,
            count: u64::from(calls.count),
        });
    }

    /// Main thread: takes what came after so many others; false when the link has it.
    pub(super) fn begin(&self, place: u64) -> bool {
        self.take(|part| place.checked_sub(part.place))
    }

    /// Link: takes a call; false when it was begun.
    pub(super) fn give_back(&self, call: ItemIndex) -> bool {
        self.take(|part| call.0.checked_sub(part.first))
    }

    fn take(&self, offset: impl Fn(&Part) -> Option<u64>) -> bool {
        let mut parts = lock(&self.0);
        let within = |part: &Part| offset(part).filter(|offset| *offset < part.count);
        let found = (0..)
            .zip(parts.iter())
            .find_map(|(at, part)| Some((at, within(part)?)));
        let Some((at, offset)) = found else {
            return false;
        };
        let part = parts[at];
        let behind = Part {
            place: part.place + offset + 1,
            first: part.first + offset + 1,
            count: part.count - offset - 1,
        };
        parts[at].count = offset;
        if behind.count > 0 {
            parts.insert(at + 1, behind);
        }
        if offset == 0 {
            parts.remove(at);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use mt_proto::Attachments;

    use super::*;

    fn calls(first: u64, count: u32) -> Segment {
        Segment {
            first: ItemIndex(first),
            count,
            records: Default::default(),
            attachments: Attachments::NONE,
        }
    }

    #[test]
    fn each_call_is_taken_once() {
        let unbegun = Unbegun::default();
        unbegun.add(0, &calls(10, 5));
        unbegun.add(5, &calls(20, 1));
        assert!(unbegun.begin(0) && !unbegun.begin(0));
        assert!(!unbegun.give_back(ItemIndex(10)), "it was begun");
        assert!(unbegun.give_back(ItemIndex(12)) && !unbegun.give_back(ItemIndex(12)));
        assert!(unbegun.begin(1) && !unbegun.begin(2) && unbegun.begin(3));
        assert!(unbegun.give_back(ItemIndex(20)) && !unbegun.begin(5));
        assert!(unbegun.give_back(ItemIndex(14)) && !unbegun.begin(4));
        assert!(!unbegun.begin(6) && !unbegun.give_back(ItemIndex(11)));
        assert!(lock(&unbegun.0).is_empty());
    }

    /// One that was given back may come again: that is another one.
    #[test]
    fn a_call_that_comes_again_is_begun_in_its_new_place() {
        let unbegun = Unbegun::default();
        unbegun.add(0, &calls(7, 1));
        assert!(unbegun.give_back(ItemIndex(7)));
        unbegun.add(1, &calls(7, 1));
        assert!(!unbegun.begin(0) && unbegun.begin(1));
    }
}
