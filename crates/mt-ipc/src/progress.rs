//! Counters and notes a worker shares with its parent in memory, readable after its death.
//!
//! What a worker had started when it died can't be told by messages without a system call an item:
//! the last ones would be in a buffer that dies too. A store to shared memory costs a nanosecond and
//! outlives the process. The memory belongs to the two processes alone and goes with them.

use std::{
    sync::{
        Arc,
        atomic::{Ordering, fence},
    },
    time::Duration,
};

use crate::platform::{NOTE_BYTES, NOTE_SLOTS, NoteSlot, Page, SLOW_SLOTS, SlowSlot};

/// The bits of the page's word on calls that say which call has the thread: 0 for none, otherwise its
/// place and one. The others count the turns.
const PLACE_BITS: u32 = 40;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;

/// A call that has the worker's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The place of its item in the order they were sent. Right for the first 2^40 - 3 items.
    pub place: u64,
    /// Counts the turns, from 0 again after 2^24 of them.
    pub number: u64,
}

impl Turn {
    /// The place to [`enter`](Progress::enter) while the thread is busy with what is no call's.
    pub const NOBODYS: u64 = PLACE_MASK - 1;

    /// The place to [`enter`](Progress::enter) while the thread is busy with closing a context.
    pub const CLOSES: u64 = PLACE_MASK - 2;

    /// Whether it is no call that has the thread.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        matches!(self.place, Self::NOBODYS | Self::CLOSES)
    }

    /// Whether a context that is being closed has the thread.
    #[must_use]
    pub fn is_close(&self) -> bool {
        self.place == Self::CLOSES
    }
}

/// A worker's progress, as far as the worker says: it counts what it is told to and nothing else.
#[derive(Debug, Clone)]
pub struct Progress {
    page: Arc<Page>,
}

impl Progress {
    pub(crate) fn new(page: Page) -> Self {
        Self {
            page: Arc::new(page),
        }
    }

    /// The most bytes of a note: 496.
    pub const NOTE_BYTES: usize = NOTE_BYTES;
    /// The notes that are kept: the last 16.
    pub const NOTES: usize = NOTE_SLOTS;

    /// The slowest items that are kept: 8.
    pub const SLOWEST: usize = SLOW_SLOTS;

    /// The items the worker has started, in the order they were sent.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.page.started.0.load(Ordering::Acquire)
    }

    /// Says that `count` items have been started so far. To be called before the item runs.
    #[inline]
    pub fn set_started(&self, count: u64) {
        self.page.started.0.store(count, Ordering::Release);
    }

    /// The items the worker has finished.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.page.finished.0.load(Ordering::Acquire)
    }

    /// Says that `count` items have been finished so far.
    #[inline]
    pub fn set_finished(&self, count: u64) {
        self.page.finished.0.store(count, Ordering::Release);
    }

    /// The call that has the thread, where calls share one.
    #[must_use]
    pub fn turn_of(&self) -> Option<Turn> {
        let word = self.page.call.0.load(Ordering::Acquire);
        Some(Turn {
            place: (word & PLACE_MASK).checked_sub(1)?,
            number: word >> PLACE_BITS,
        })
    }

    /// Says that the call for the item at `place` has the thread now. Only one thread of the worker does.
    #[inline]
    pub fn enter(&self, place: u64) {
        let call = &self.page.call.0;
        let turns = call.load(Ordering::Relaxed) & !PLACE_MASK;
        let next = turns.wrapping_add(1 << PLACE_BITS);
        call.store(next | (place + 1) & PLACE_MASK, Ordering::Release);
    }

    /// Says that no call has the thread. Only one thread of the worker does.
    #[inline]
    pub fn leave(&self) {
        let call = &self.page.call.0;
        let turns = call.load(Ordering::Relaxed) & !PLACE_MASK;
        call.store(turns, Ordering::Release);
    }

    /// The number of the item from which on the worker is to start none, and whoever comes after it; `u64::MAX` if it may
    /// start all. Set by the parent.
    #[inline]
    #[must_use]
    pub fn gate(&self) -> u64 {
        // What is not set is 0.
        self.page.gate.0.load(Ordering::Acquire).wrapping_sub(1)
    }

    /// Parent: the worker is to start no item from this one on; all of them without one.
    pub fn set_gate(&self, item: Option<u64>) {
        let word = item.map_or(0, |item| item.saturating_add(1));
        self.page.gate.0.store(word, Ordering::Release);
    }

    /// Whether the worker has ended itself because its connection had ended.
    #[must_use]
    pub fn has_hung_up(&self) -> bool {
        self.page.hung_up.0.load(Ordering::Acquire) != 0
    }

    pub(crate) fn set_hung_up(&self) {
        self.page.hung_up.0.store(1, Ordering::Release);
    }

    /// How many bytes an item has written to its captured standard output, as far as they were read and counted, and
    /// whether some were being read.
    pub(crate) fn captured(&self) -> (u64, bool) {
        let word = self.page.captured.0.load(Ordering::Acquire);
        (word >> 1, word & 1 != 0)
    }

    pub(crate) fn set_captured(&self, bytes: u64, reads: bool) {
        let word = bytes << 1 | u64::from(reads);
        self.page.captured.0.store(word, Ordering::Release);
    }

    /// Whose standard output is being captured.
    pub(crate) fn captured_item(&self) -> Option<u64> {
        self.page
            .captured_item
            .0
            .load(Ordering::Acquire)
            .checked_sub(1)
    }

    pub(crate) fn set_captured_item(&self, index: Option<u64>) {
        let word = index.map_or(0, |index| index.saturating_add(1));
        self.page.captured_item.0.store(word, Ordering::Release);
    }

    /// The turns of the worker's runtime; stands still while a task blocks it.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.page.turns.0.load(Ordering::Acquire)
    }

    /// Counts one turn of the runtime. Only one thread of the worker does.
    pub fn turn(&self) {
        let turns = &self.page.turns.0;
        let next = turns.load(Ordering::Relaxed).wrapping_add(1);
        turns.store(next, Ordering::Release);
    }

    /// Says that the runtime turns no more, or starts over: 0 means that nobody counts.
    pub fn set_turns(&self, count: u64) {
        self.page.turns.0.store(count, Ordering::Release);
    }

    /// Says that item `index` took so long, in place number `place`, under [`SLOWEST`](Self::SLOWEST). One
    /// thread at a time.
    pub fn set_slow(&self, place: usize, index: u64, time: Duration) {
        let slot = &self.page.slow[place];
        slot.nanos.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        slot.index.store(index, Ordering::Relaxed);
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        slot.nanos.store(nanos, Ordering::Release);
    }

    /// The items that took longest, in no particular order, as far as the worker has measured them.
    #[must_use]
    pub fn slowest(&self) -> Vec<(u64, Duration)> {
        self.page.slow.iter().filter_map(read_slow).collect()
    }

    /// Forgets the slowest items.
    pub fn clear_slowest(&self) {
        for slot in &self.page.slow {
            slot.nanos.store(0, Ordering::Release);
        }
    }

    /// Leaves note number `number` behind, cut to [`NOTE_BYTES`](Self::NOTE_BYTES), in the place of the
    /// one [`NOTES`](Self::NOTES) before it. Numbers count from 1; one thread at a time.
    pub fn note(&self, number: u64, bytes: &[u8]) {
        let slot = &self.page.notes[(number % NOTE_SLOTS as u64) as usize];
        let bytes = &bytes[..bytes.len().min(NOTE_BYTES)];
        slot.number.store(0, Ordering::Relaxed);
        // A death between here and the end leaves a slot that says so.
        fence(Ordering::Release);
        slot.length.store(bytes.len() as u64, Ordering::Relaxed);
        for (word, bytes) in slot.words.iter().zip(bytes.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        slot.number.store(number, Ordering::Release);
    }

    /// Forgets all notes.
    pub fn clear_notes(&self) {
        for slot in &self.page.notes {
            slot.number.store(0, Ordering::Release);
        }
    }

    /// The last notes, oldest first. To be read after the worker's death: one that is being written is
    /// left out. They are what the worker says, and it may have gone mad.
    #[must_use]
    pub fn notes(&self) -> Vec<Vec<u8>> {
        let mut notes: Vec<(u64, Vec<u8>)> = self.page.notes.iter().filter_map(read).collect();
        notes.sort_unstable_by_key(|(number, _)| *number);
        notes.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

fn read_slow(slot: &SlowSlot) -> Option<(u64, Duration)> {
    let nanos = slot.nanos.load(Ordering::Acquire);
    let index = slot.index.load(Ordering::Relaxed);
    fence(Ordering::Acquire);
    let is_whole = nanos != 0 && slot.nanos.load(Ordering::Relaxed) == nanos;
    is_whole.then_some((index, Duration::from_nanos(nanos)))
}

fn read(slot: &NoteSlot) -> Option<(u64, Vec<u8>)> {
    let number = slot.number.load(Ordering::Acquire);
    let length = slot.length.load(Ordering::Relaxed).min(NOTE_BYTES as u64) as usize;
    let words = slot.words.iter().take(length.div_ceil(8));
    let mut bytes: Vec<u8> = words
        .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
        .collect();
    bytes.truncate(length);
    fence(Ordering::Acquire);
    let is_whole = number != 0 && slot.number.load(Ordering::Relaxed) == number;
    is_whole.then_some((number, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress::new(Page::create().expect("a page").0)
    }

    #[test]
    fn the_slowest_are_what_was_set_last() {
        let progress = progress();
        assert!(progress.slowest().is_empty());
        for n in 0..20 {
            let place = n as usize % SLOW_SLOTS;
            progress.set_slow(place, n, Duration::from_nanos(n + 1));
        }
        let mut slowest = progress.slowest();
        slowest.sort_unstable();
        let expected: Vec<(u64, Duration)> =
            (12..20).map(|n| (n, Duration::from_nanos(n + 1))).collect();
        assert_eq!(slowest, expected);
        progress.clear_slowest();
        assert!(progress.slowest().is_empty());
    }

    #[test]
    fn a_gate_is_open_until_it_is_set() {
        let progress = progress();
        for (item, gate) in [
            (None, u64::MAX),
            (Some(0), 0),
            (Some(7), 7),
            (Some(u64::MAX), u64::MAX - 1),
        ] {
            assert_eq!(progress.gate(), u64::MAX);
            progress.set_gate(item);
            assert_eq!(progress.gate(), gate);
            progress.set_gate(None);
        }
    }

    #[test]
    fn the_last_notes_are_there_in_order() {
        let progress = progress();
        assert!(progress.notes().is_empty());
        let note = |n: u64| vec![n as u8; (n as usize * 37) % (NOTE_BYTES + 1)];
        for n in 1..=100 {
            progress.note(n, &note(n));
            let first = n.saturating_sub(NOTE_SLOTS as u64) + 1;
            let expected: Vec<Vec<u8>> = (first..=n).map(note).collect();
            assert_eq!(progress.notes(), expected);
        }
        progress.note(101, &[7; 2 * NOTE_BYTES]);
        assert_eq!(progress.notes().pop(), Some(vec![7; NOTE_BYTES]));
        progress.clear_notes();
        assert!(progress.notes().is_empty());
    }

    #[test]
    fn turns_are_told_apart_also_of_the_same_call() {
        let progress = progress();
        assert_eq!(progress.turn_of(), None);
        progress.enter(0);
        let first = progress.turn_of().expect("it was entered");
        progress.leave();
        assert_eq!(progress.turn_of(), None);
        progress.enter(0);
        let second = progress.turn_of().expect("it was entered");
        assert_eq!((first.place, second.place), (0, 0));
        assert_ne!(first.number, second.number);
        // The count of turns starts over and never runs into the place.
        progress
            .page
            .call
            .0
            .store(u64::MAX << PLACE_BITS, Ordering::Release);
        progress.enter(7);
        let place = progress.turn_of().map(|turn| turn.place);
        assert_eq!(place, Some(7));
    }
}
