//! An allocator that counts what each thread holds.
#![expect(unsafe_code, reason = "an allocator is unsafe to write")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    /// What this thread holds, and the most it has held. Neither needs memory or has a destructor.
    static HELD: Cell<[isize; 2]> = const { Cell::new([0, 0]) };
}

/// The most memory that this thread held at once during `work`, beyond what it held before.
pub(crate) fn peak_of(work: impl FnOnce()) -> usize {
    let [before, _] = HELD.get();
    HELD.set([before, before]);
    work();
    let [_, peak] = HELD.get();
    (peak - before) as usize
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

impl Counting {
    fn add(bytes: isize) {
        // A thread that ends may free what it has left.
        let _ = HELD.try_with(|held| {
            let [now, peak] = held.get();
            held.set([now + bytes, peak.max(now + bytes)]);
        });
    }
}

// SAFETY: all work is `System`'s; the counters do not touch the memory.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: asks of the caller what the trait asks.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: asks of the caller what the trait asks.
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        Self::add(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(ptr, layout) }
    }

    // SAFETY: asks of the caller what the trait asks.
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Large blocks are moved by remapping, so old and new do not count twice.
        Self::add(new_size as isize - layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
