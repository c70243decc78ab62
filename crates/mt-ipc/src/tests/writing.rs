//! How frames become calls to the operating system.

use std::{
    io,
    io::IoSlice,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::BytesMut;
use futures::FutureExt;
use mt_proto::{Attachments, FrameDecoder, Limits};
use tokio::io::AsyncWrite;

use super::bulk;
use crate::{
    QueueLimits, Writer,
    sender::{self, FrameSink},
};

/// Takes a few bytes at a time and counts the calls.
#[derive(Debug, Clone, Default)]
struct Grudging {
    taken: Arc<Mutex<(BytesMut, usize)>>,
    most: usize,
}

impl AsyncWrite for Grudging {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(slices.len() <= 1024, "more slices than a system takes");
        let (taken, calls) = &mut *self.taken.lock().unwrap();
        *calls += 1;
        let mut left = self.most;
        for slice in slices {
            let some = &slice[..left.min(slice.len())];
            taken.extend_from_slice(some);
            left -= some.len();
        }
        Poll::Ready(Ok(self.most - left))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl FrameSink for Grudging {
    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        _: &Attachments,
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, slices)
    }
}

/// Sends 4000 small frames and one long one; returns how many calls it took.
fn calls_to_send(most: usize) -> usize {
    let pipe = Grudging {
        most,
        ..Grudging::default()
    };
    let (sender, outlet) = sender::lanes(QueueLimits::default());
    for length in 0..4000 {
        sender.try_send(bulk(length % 20)).unwrap();
    }
    sender.try_send(bulk(600_000)).unwrap();
    sender.close();
    let done = Writer::new(Box::pin(pipe.clone()), outlet)
        .run()
        .now_or_never();
    done.unwrap().unwrap();

    let (taken, calls) = &mut *pipe.taken.lock().unwrap();
    let mut decoder = FrameDecoder::new(Limits::default());
    for length in 0..4000 {
        assert_eq!(decoder.decode(taken).unwrap(), Some(bulk(length % 20)));
    }
    assert_eq!(decoder.decode(taken).unwrap(), Some(bulk(600_000)));
    assert_eq!(decoder.decode(taken).unwrap(), None);
    *calls
}

#[test]
fn partial_writes_go_on_where_they_stopped() {
    for most in [1, 7, 4096] {
        calls_to_send(most);
    }
}

/// Case R43: What waits leaves together, in one system call.
#[test]
fn frames_that_wait_leave_together() {
    let calls = calls_to_send(usize::MAX);
    assert!(calls <= 24, "{calls} calls for 4001 frames");
}
