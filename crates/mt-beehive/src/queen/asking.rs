//! What comes of what a hive was asked for.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

/// What comes of something that a hive was asked for: a future of the bee's id. What was asked for is done whether
/// or not anybody awaits this. `None` when the hive has died before, or there is no such bee.
#[derive(Debug)]
pub struct Asking(oneshot::Receiver<Option<u32>>);

impl Asking {
    pub(super) fn new() -> (oneshot::Sender<Option<u32>>, Self) {
        let (reply_tx, reply_rx) = oneshot::channel();
        (reply_tx, Self(reply_rx))
    }
}

impl Future for Asking {
    type Output = Option<u32>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.0).poll(cx);
        polled.map(|reply| reply.ok().flatten())
    }
}
