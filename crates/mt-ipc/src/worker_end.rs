//! The sending half of a worker's connection, which ends with the process and not before.

use std::{
    io,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;

use crate::platform::StreamWriteHalf;

/// Never shuts the connection down, neither when asked to nor when dropped.
///
/// A socket hangs up when its peer is gone, and also when both sides have ended their sending. If a
/// worker did that, its [guard](crate::guard) could not tell a parent that has said all from one that
/// is dead, and would kill a worker that is exiting in good order. So the end of what a worker sends
/// is the end of its process.
#[derive(Debug)]
pub(crate) struct WorkerEnd {
    half: Option<StreamWriteHalf>,
}

impl WorkerEnd {
    pub(crate) fn new(half: StreamWriteHalf) -> Self {
        Self { half: Some(half) }
    }

    fn half(self: Pin<&mut Self>) -> Pin<&mut StreamWriteHalf> {
        Pin::new(self.get_mut().half.as_mut().expect("taken only on drop"))
    }
}

impl Drop for WorkerEnd {
    fn drop(&mut self) {
        if let Some(half) = self.half.take() {
            half.forget();
        }
    }
}

impl AsyncWrite for WorkerEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.half().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.half().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was written is in the kernel, which delivers it also after this process.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
