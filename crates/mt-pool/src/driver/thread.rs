//! The thread a run's supervisor lives on.

use std::io;

use super::driver::{Plan, supervise};
use crate::supervision::{EndWatch, OwnRuntime};

/// Starts a run's supervisor. It has a thread and a runtime of its own, so a run works inside and
/// outside the caller's runtime and outlives the thread that started it.
///
/// # Errors
/// The system's, when there is no thread or no poller to be had.
pub(crate) fn spawn_supervisor(plan: Plan) -> io::Result<EndWatch> {
    let (tie, watch) = EndWatch::tied();
    OwnRuntime::new()?.on_thread("mt-supervisor", move |runtime| {
        // A task like those of the workers: they wake each other without a look at the poller in between.
        let _ = runtime.block_on(async { tokio::spawn(supervise(plan)).await });
        drop(runtime);
        drop(tie);
    })?;
    Ok(watch)
}
