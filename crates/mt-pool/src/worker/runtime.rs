//! The runtime that user code finds on the worker's main thread, for as long as the process lives.
//!
//! Several runs may share a process, and what an init has made (a client with a task that drives it) must still
//! work in the next. Nobody waits for what user code has left on blocking threads: those end with the process.

use std::{cell::RefCell, io, rc::Rc};

use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: RefCell<Option<Rc<Runtime>>> = const { RefCell::new(None) };
}

/// The runtime of this thread, made when it is first asked for.
///
/// # Errors
/// The system's, when there is no poller to be had.
pub fn runtime() -> io::Result<Rc<Runtime>> {
    if let Some(runtime) = RUNTIME.with_borrow(Clone::clone) {
        return Ok(runtime);
    }
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    RUNTIME.set(Some(Rc::clone(&runtime)));
    Ok(runtime)
}

/// Drops the tasks that were spawned and have not ended, and waits for no blocking thread.
pub(super) fn end_runtime() {
    if let Some(runtime) = RUNTIME.take().and_then(Rc::into_inner) {
        runtime.shutdown_background();
    }
}
