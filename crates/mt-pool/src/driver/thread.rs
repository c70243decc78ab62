//! The thread a run's supervisor lives on, and waiting for its end.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use super::driver::{Plan, supervise};
use crate::supervision::OwnRuntime;

#[derive(Debug)]
pub(crate) struct Supervision {
    ended: Receiver<()>,
}

impl Supervision {
    /// A supervision that ends when the other half is dropped.
    pub(crate) fn tied() -> (SyncSender<()>, Self) {
        let (tie, ended) = sync_channel(1);
        (tie, Self { ended })
    }

    /// Waits until every worker is reaped, at most `at_most`. True when that is so.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        !matches!(
            self.ended.recv_timeout(at_most),
            Err(RecvTimeoutError::Timeout)
        )
    }
}

/// Starts a run's supervisor. It has a thread and a runtime of its own, so a run works inside and
/// outside the caller's runtime and outlives the thread that started it.
///
/// # Errors
/// The system's, when there is no thread or no poller to be had.
pub(crate) fn spawn_supervisor(plan: Plan) -> io::Result<Supervision> {
    let (tie, supervision) = Supervision::tied();
    OwnRuntime::new()?.on_thread("mt-supervisor", move |runtime| {
        // A task like those of the workers: they wake each other without a look at the poller in between.
        let _ = runtime.block_on(async { tokio::spawn(supervise(plan)).await });
        drop(runtime);
        drop(tie);
    })?;
    Ok(supervision)
}
