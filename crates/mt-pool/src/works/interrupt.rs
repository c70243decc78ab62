//! Ctrl-C as a future, on any executor.
//!
//! Loop: one a call, on a thread that waits for the signal or for the end of the call.

use std::io;

use mt_proto::guarded;
use tokio::sync::oneshot;

use crate::supervision::{Interrupts, OnSignals, OwnRuntime};

/// Ready at Ctrl-C, or another signal that counts; never if it does not count. Listens from now on as long as it lives. Cancel-safe.
///
/// # Errors
/// The system's, when there is no thread to wait in.
pub(super) fn interruption(signals: OnSignals) -> io::Result<impl Future<Output = ()>> {
    let (tell, told) = oneshot::channel();
    let (listening, over) = oneshot::channel();
    if signals != OnSignals::IGNORE {
        let runtime = OwnRuntime::new()?;
        // From here on, not from when the thread comes to it.
        let interrupts = {
            let _inside = runtime.enter();
            Interrupts::listen(signals)
        };
        runtime.on_thread("mt-interrupt", move |runtime| {
            runtime.block_on(wait(interrupts, tell, over));
        })?;
    }
    Ok(async move {
        // Its end tells the thread.
        let _listening = listening;
        if told.await.is_err() {
            std::future::pending().await
        }
    })
}

async fn wait(mut interrupts: Interrupts, tell: oneshot::Sender<()>, over: oneshot::Receiver<()>) {
    // Both arms are cancel-safe, and nothing comes after them.
    tokio::select! {
        // Whoever waits is woken, by a waker that is user code.
        _ = interrupts.interrupted() => { let _ = guarded(|| tell.send(())); }
        _ = over => {}
    }
}
