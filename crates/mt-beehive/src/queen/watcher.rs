//! Telling whoever waits for a task how far it is: the latest counts, and nobody waits for the one who is told.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{Either, select};
use mt_proto::{Kept, decode_guarded, guarded};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::yield_now};

/// Is called with how far the task is, encoded.
pub(super) type Watcher = Kept<Box<dyn FnMut(&[u8]) + Send>>;

/// A watcher that decodes.
pub(super) fn watcher<P: DeserializeOwned>(mut tell: impl FnMut(P) + Send + 'static) -> Watcher {
    Kept::new(Box::new(move |progress| match decode_guarded(progress) {
        // Of a panic, which was shown as every panic is, the task knows nothing.
        Ok(progress) => drop(guarded(|| tell(progress))),
        Err(error) => {
            let takes = std::any::type_name::<P>();
            let _ = guarded(|| tracing::warn!(takes, %error, "how far a task is can't be told"));
        }
    }))
}

/// What comes from the hive, on its way to a watcher.
pub(super) struct Progress {
    latest: watch::Receiver<Bytes>,
    watcher: Watcher,
}

/// Where the hive puts how far a task is, and who takes it there.
pub(super) fn watched(watcher: Watcher) -> (watch::Sender<Bytes>, Progress) {
    let (progress, latest) = watch::channel(Bytes::new());
    (progress, Progress { latest, watcher })
}

impl Progress {
    /// Tells what comes until the end is there, and before that the last of it.
    pub(super) async fn until<T>(mut self, mut end: impl Future<Output = T> + Unpin) -> T {
        loop {
            let changed = {
                let changed = pin!(self.latest.changed());
                match select(&mut end, changed).await {
                    Either::Left((ended, _)) => Err(ended),
                    Either::Right((changed, _)) => Ok(changed),
                }
            };
            match changed {
                Ok(Ok(())) => {
                    self.tell();
                    // The next may be there already: others on this task have their turn.
                    yield_now().await;
                }
                // No more will come.
                Ok(Err(_)) => return end.await,
                Err(ended) => {
                    // Not asked of `changed`, which says no to a task that has done much at once.
                    if self.latest.borrow().has_changed() {
                        self.tell();
                    }
                    return ended;
                }
            }
        }
    }

    fn tell(&mut self) {
        // Not under its lock: the hive must not wait for the watcher.
        let latest = self.latest.borrow_and_update().clone();
        // guarded: what is the user's in it is, in there.
        (self.watcher)(&latest);
    }
}
