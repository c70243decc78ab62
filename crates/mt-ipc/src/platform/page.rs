//! A few pages of memory shared by a parent and one worker, and nobody else.
#![expect(unsafe_code, reason = "mapping memory")]

use std::{io, ops::Deref, ptr::NonNull, sync::atomic::AtomicU64};

use super::system::{self, FileRef, OwnedFile};

/// The size of the mapping.
const PAGE_BYTES: usize = 3 * 4096;
const _: () = assert!(size_of::<Layout>() <= PAGE_BYTES);

/// What is in the memory shared between processes.
#[repr(C)]
pub(crate) struct Layout {
    pub(crate) started: Line,
    pub(crate) finished: Line,
    pub(crate) turns: Line,
    pub(crate) call: Line,
    pub(crate) gate: Line,
    pub(crate) hung_up: Line,
    pub(crate) captured: Line,
    pub(crate) captured_item: Line,
    pub(crate) slow: [SlowSlot; SLOW_SLOTS],
    pub(crate) notes: [NoteSlot; NOTE_SLOTS],
}

/// The slowest items that are kept.
pub(crate) const SLOW_SLOTS: usize = 8;

/// An item that took long.
#[repr(C)]
pub(crate) struct SlowSlot {
    /// How long; 0 while it is being written.
    pub(crate) nanos: AtomicU64,
    pub(crate) index: AtomicU64,
}

/// A counter in a cache line of its own.
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) AtomicU64);

/// The notes that are kept. A new one takes the place of the oldest.
pub(crate) const NOTE_SLOTS: usize = 16;
const NOTE_WORDS: usize = 62;
/// The most bytes of a note.
pub(crate) const NOTE_BYTES: usize = NOTE_WORDS * 8;

/// Room for a few bytes that outlive the process that wrote them.
#[repr(C, align(64))]
pub(crate) struct NoteSlot {
    /// The number of the note in it, counted from 1; 0 while it is being written.
    pub(crate) number: AtomicU64,
    pub(crate) length: AtomicU64,
    pub(crate) words: [AtomicU64; NOTE_WORDS],
}

/// A mapped page. Unmapped when dropped; the memory goes when both sides have dropped it.
#[derive(Debug)]
pub(crate) struct Page {
    shared: NonNull<Layout>,
}

// SAFETY: the pointer is to memory that stays mapped as long as the `Page` lives, and all access to
// it is through shared references to atomics.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    /// A new page of zeros and the file that lets the worker map it too.
    pub(crate) fn create() -> io::Result<(Self, OwnedFile)> {
        let file = system::shared_file("mt-progress", PAGE_BYTES)?;
        Ok((Self::map(system::as_file(&file))?, file))
    }

    /// Maps the page behind a file made by [`create`](Self::create).
    pub(crate) fn map(file: FileRef<'_>) -> io::Result<Self> {
        if system::file_bytes(file) < PAGE_BYTES as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "shared page is too short",
            ));
        }
        // The file is at least a page long, and sealed against shrinking where the system can, so access can't fault.
        let shared = system::map_file(file, PAGE_BYTES, true)?.cast();
        Ok(Self { shared })
    }
}

impl Deref for Page {
    type Target = Layout;

    #[inline]
    fn deref(&self) -> &Layout {
        // SAFETY: the mapping is page-aligned, longer than `Layout`, and lives as long as `self`.
        // Any bit pattern is a valid `Layout`. The other process changes it only through atomics;
        // a worker gone mad can write any number, which is all a number can be.
        unsafe { self.shared.as_ref() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: address and length are those of the mapping made in `map`, and no reference into
        // it outlives `self`.
        unsafe { system::unmap(self.shared.cast(), PAGE_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// Case D27: The memory shared with a worker can't be shortened by it.
    #[test]
    fn two_mappings_are_one_memory_and_it_cannot_shrink() {
        let (ours, file) = Page::create().expect("a page");
        let theirs = Page::map(system::as_file(&file)).expect("the same page");
        theirs.started.0.store(7, Ordering::Release);
        theirs.turns.0.store(u64::MAX, Ordering::Release);
        assert_eq!(ours.started.0.load(Ordering::Acquire), 7);
        assert_eq!(ours.finished.0.load(Ordering::Acquire), 0);
        assert_eq!(ours.turns.0.load(Ordering::Acquire), u64::MAX);
        #[cfg(target_os = "linux")]
        assert!(rustix::fs::ftruncate(&file, 0).is_err(), "sealed");
    }
}
