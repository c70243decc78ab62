//! Ctrl-C as a future, on any executor.
//!
//! Loop: one a call, on a thread that waits for the signal or for the end of the call.

use std::thread;

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::{OnInterrupt, supervision::Interrupts};

/// Ready at Ctrl-C; never if it does not count, or if there is no thread to be had: then it has its default effect.
/// Listens from now on as long as it lives. Cancel-safe.
pub(super) fn interruption(policy: OnInterrupt) -> impl Future<Output = ()> {
    let (tell, told) = oneshot::channel();
    let (listening, over) = oneshot::channel();
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
    async move {
        // Its end tells the thread.
        let _listening = listening;
        if told.await.is_err() {
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
