//! The thread a hive's driver lives on, so that a hive works on any runtime, and its bees are reaped also
//! when the queen's future is dropped with its runtime.

use std::{io, time::Duration};

use mt_pool::supervision::{EndWatch, Interrupts, OnSignals, OwnRuntime};
use mt_proto::guarded;
use tokio::sync::{mpsc, oneshot};

use super::{
    driver::Driver,
    ending::{HiveEnd, HiveShutdown},
};

/// How long dropping a hive waits for its bees to be gone. They are killed, so it takes some milliseconds.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// A hive's driver, from the outside. Dropped before it has ended, it kills the bees.
#[derive(Debug)]
pub(crate) struct Driven {
    /// Sent to: nothing more will be delegated. Dropped: an end at once, also of a hive that is dying.
    hold: Option<mpsc::Sender<HiveEnd>>,
    over: EndWatch,
}

/// Starts a driver. From here on Ctrl-C and `SIGTERM` have the effect that is wanted; in a worker bee's process it has none of
/// ours, because it is for the queen to say what is to be done.
///
/// # Errors
/// The system's, when there is no thread or no poller to be had.
pub(crate) fn drive(
    on_signals: OnSignals,
    make: impl FnOnce(Interrupts) -> Driver,
) -> io::Result<Driven> {
    let runtime = OwnRuntime::new()?;
    // Made here: its bees' processes start while its thread does.
    let driver = {
        let _inside = runtime.enter();
        make(Interrupts::listen(match mt_ipc::is_worker_process() {
            true => OnSignals::IGNORE,
            false => on_signals,
        }))
    };
    let (hold, held) = mpsc::channel(1);
    let (tie, over) = EndWatch::tied();
    runtime.on_thread("mt-hive", move |runtime| {
        // A task like those of the bees: they wake each other without a look at the poller in between.
        runtime
            .block_on(async { tokio::spawn(driver.run(held)).await })
            .expect("the driver does not panic");
        drop(runtime);
        drop(tie);
    })?;
    Ok(Driven {
        hold: Some(hold),
        over,
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

    /// Lets the hive die, and cancels what it has not finished after `grace`. Waiting until every bee is gone.
    pub(crate) async fn die_within(self, grace: Duration) -> HiveShutdown {
        let (tell, found) = oneshot::channel();
        self.end(HiveEnd::Within(grace, tell)).await;
        found.await.unwrap_or_default()
    }

    async fn end(self, how: HiveEnd) {
        if let Some(hold) = &self.hold {
            let _ = hold.try_send(how);
            self.over.over().await;
        }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        drop(self.hold.take());
        if !self.over.wait_on_drop(DROP_WAIT) {
            let _ = guarded(|| tracing::warn!("worker bees are not gone yet; they were killed"));
        }
    }
}
