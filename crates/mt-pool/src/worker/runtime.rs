//! The runtime that user code finds on the worker's main thread, for as long as the process lives.
//!
//! Several runs may share a process, and what an init has made (a client with a task that drives it) must still
//! work in the next. Nobody waits for what user code has left on blocking threads: those end with the process.

use std::{cell::RefCell, io, pin::Pin, process, rc::Rc};

use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};

use super::panic::{Panic, driven, say};

/// The exit code of a worker whose runtime has broken down: that of a program that has panicked.
const BROKEN: i32 = 101;

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

/// Drives a future to its end, and what user code has spawned as far as that goes on meanwhile. A panic of the future
/// goes through.
///
/// The runtime catches the panic of a spawned task and drops what that carries. If this panics too, it comes through the
/// runtime, which has lost wakers by then: whoever waits there may do so for ever. So that ends the process, with a word.
pub fn drive<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    driven(future, |future| runtime.block_on(future), break_down)
}

/// The same with tasks that stay on this thread.
pub fn drive_local<F: Future>(runtime: &Runtime, tasks: &LocalSet, future: F) -> F::Output {
    let block_on = |future: Pin<&mut dyn Future<Output = _>>| tasks.block_on(runtime, future);
    driven(future, block_on, break_down)
}

/// Ends the process. What was driven is there still, so nobody has heard of its end and ends the process otherwise.
fn break_down(panic: Panic) -> ! {
    say(format_args!(
        "a task that was spawned here has panicked, and then so has the drop of what that carried, which no runtime \
         survives: {panic}"
    ));
    mt_ipc::end_descendants();
    process::exit(BROKEN)
}

/// Drops the tasks that were spawned and have not ended, and waits for no blocking thread.
pub(super) fn end_runtime() {
    if let Some(runtime) = RUNTIME.take().and_then(Rc::into_inner) {
        runtime.shutdown_background();
    }
}
