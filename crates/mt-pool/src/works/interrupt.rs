//! Ctrl-C as a future, on any executor.
//!
//! Loop: one a call, on a thread that waits for the signal or for the end of the call.

use std::thread;

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::{OnInterrupt, supervision::Interrupts};

/// Listens as long as it lives.
#[derive(Debug)]
pub(super) struct Interruption {
    told: oneshot::Receiver<()>,
    /// Tells the thread by its end.
    _listening: oneshot::Sender<()>,
}

impl Interruption {
    /// Starts to listen, if so wanted and if there is a thread to be had; Ctrl-C has its default
    /// effect otherwise.
    pub(super) fn listen(policy: OnInterrupt) -> Self {
        let (tell, told) = oneshot::channel();
        let (_listening, over) = oneshot::channel();
        if policy != OnInterrupt::Ignore
            && let Ok(runtime) = Builder::new_current_thread().enable_io().build()
        {
            // From here on, not from when the thread comes to it.
            let interrupts = {
                let _inside = runtime.enter();
                Interrupts::listen(policy)
            };
            let _ = thread::Builder::new()
                .name("mt-interrupt".into())
                .spawn(move || wait(&runtime, interrupts, tell, over));
        }
        Self { told, _listening }
    }

    /// Waits for Ctrl-C; for ever if it does not count. Cancel-safe.
    pub(super) async fn interrupted(&mut self) {
        if (&mut self.told).await.is_err() {
            std::future::pending().await
        }
    }
}

/// A signal needs a runtime to be waited for, and the caller's may be of another kind.
fn wait(
    runtime: &Runtime,
    mut interrupts: Interrupts,
    tell: oneshot::Sender<()>,
    over: oneshot::Receiver<()>,
) {
    // Both arms are cancel-safe, and nothing comes after them.
    runtime.block_on(async {
        tokio::select! {
            () = interrupts.interrupted() => { let _ = tell.send(()); }
            _ = over => {}
        }
    });
}
