//! Copies of a worker process that its user code makes, by `fork` without `exec`.
#![expect(
    unsafe_code,
    reason = "being told of a fork, and leaving without what else an exit does"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use crate::NOT_STARTED;

static IS_COPY: AtomicBool = AtomicBool::new(false);

extern "C" fn in_copy() {
    IS_COPY.store(true, Ordering::Relaxed);
}

/// From now on a copy of this process knows that it is one.
pub(super) fn mark_copies() {
    // SAFETY: what is called in a copy, before anything else there, is a store to an atomic. Without memory for it
    // nothing is marked.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(in_copy)) };
}

/// Ends this process if it is a copy of a worker. To be called where user code returns: what would go on there is the
/// worker's, whose other threads the copy does not have, and whose items are not the copy's.
#[inline]
pub fn end_copy() {
    if IS_COPY.load(Ordering::Relaxed) {
        leave();
    }
}

#[cold]
fn leave() -> ! {
    let words = "a task has forked this process, and its call has returned, or waits, in the copy too: the copy ends \
                 here (end it in the task, by `_exit` or `exec`)\n";
    // Not by the standard library, whose lock may be held by a thread that is not here.
    let _ = rustix::io::write(rustix::stdio::stderr(), words.as_bytes());
    // SAFETY: nothing of this process is run any more, handlers of `exit` least of all: they are the worker's.
    unsafe { libc::_exit(NOT_STARTED) }
}
