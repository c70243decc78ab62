//! The thread a hive's driver lives on, so that a hive works on any runtime, and its bees are reaped also
//! when the queen's future is dropped with its runtime.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

use mt_pool::supervision::{Interrupts, OnInterrupt, OwnRuntime};
use mt_proto::{Kept, guarded};
use tokio::sync::{mpsc, oneshot};

use super::driver::{Driver, HiveEnd};

/// How long dropping a hive waits for its bees to be gone. They are killed, so it takes some milliseconds.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// A hive's driver, from the outside. Dropped before it has ended, it kills the bees.
#[derive(Debug)]
pub(crate) struct Driven {
    /// Sent to: nothing more will be delegated. Dropped: an end at once, also of a hive that is dying.
    hold: Option<mpsc::Sender<HiveEnd>>,
    over: Option<oneshot::Receiver<()>>,
    ended: Receiver<()>,
}

/// Starts a driver. From here on Ctrl-C has the effect that is wanted; in a worker bee's process it has none of
/// ours, because it is for the queen to say what is to be done.
///
/// # Errors
/// The system's, when there is no thread or no poller to be had.
pub(crate) fn drive(
    on_interrupt: OnInterrupt,
    make: impl FnOnce(Interrupts) -> Driver,
) -> io::Result<Driven> {
    let runtime = OwnRuntime::new()?;
    // Made here: its bees' processes start while its thread does.
    let driver = {
        let _inside = runtime.enter();
        make(Interrupts::listen(match mt_ipc::is_worker_process() {
            true => OnInterrupt::Ignore,
            false => on_interrupt,
        }))
    };
    let (hold, held) = mpsc::channel(1);
    let (over, is_over) = oneshot::channel();
    let (tie, ended) = sync_channel::<()>(1);
    let over = Kept::new(over);
    runtime.on_thread("mt-hive", move |runtime| {
        // A task like those of the bees: they wake each other without a look at the poller in between.
        runtime
            .block_on(async { tokio::spawn(driver.run(held)).await })
            .expect("the driver does not panic");
        drop(runtime);
        drop(tie);
        // Wakes who waits for it, by a waker that is user code.
        drop(over);
    })?;
    Ok(Driven {
        hold: Some(hold),
        over: Some(is_over),
        ended,
    })
}

impl Driven {
    /// Lets the hive die: it finishes what it has. Waiting until every bee is gone.
    pub(crate) async fn die(self) {
        self.end(HiveEnd::Finish).await;
    }

    /// The same, and what it has is cancelled.
    pub(crate) async fn abandon(self) {
        self.end(HiveEnd::Abandon).await;
    }

    async fn end(mut self, how: HiveEnd) {
        if let (Some(hold), Some(over)) = (&self.hold, &mut self.over) {
            let _ = hold.try_send(how);
            let _ = over.await;
        }
        self.over = None;
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if self.over.is_none() {
            return;
        }
        drop(self.hold.take());
        let waited = self.ended.recv_timeout(DROP_WAIT);
        if waited == Err(RecvTimeoutError::Timeout) {
            let _ = guarded(|| tracing::warn!("worker bees are not gone yet; they were killed"));
        }
    }
}
