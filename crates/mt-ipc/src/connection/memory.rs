//! The halves of a connection inside this process, for tests.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use mt_proto::Attachments;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::{attached::AttachedBatch, sender::FrameSink};

/// The most bytes of one read, which are zeroed before.
const READ_BYTES: usize = 4096;

/// The halves of one end, which says its attachments in `out` and finds the other's in `back`.
pub(super) fn halves(
    stream: DuplexStream,
    out: Way,
    back: Way,
) -> (MemoryReadHalf, MemoryWriteHalf) {
    let (read, write) = tokio::io::split(stream);
    let read = MemoryReadHalf {
        bytes: read,
        read: 0,
        way: back,
    };
    let write = MemoryWriteHalf {
        bytes: write,
        written: 0,
        way: out,
    };
    (read, write)
}

/// What is attached to bytes on their way, with the number of bytes before.
#[derive(Debug, Clone, Default)]
pub(super) struct Way(Arc<Mutex<VecDeque<(u64, Attachments)>>>);

impl Way {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Attachments)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct MemoryReadHalf {
    bytes: tokio::io::ReadHalf<DuplexStream>,
    read: u64,
    way: Way,
}

impl MemoryReadHalf {
    /// What came with the bytes that were read last.
    pub(super) fn take_batch(&mut self) -> Option<AttachedBatch> {
        let (_, attachments) = self.way.lock().pop_front_if(|(at, _)| *at < self.read)?;
        Some(AttachedBatch {
            all: attachments.as_slice().to_vec(),
            cut: false,
        })
    }
}

impl AsyncRead for MemoryReadHalf {
    /// A read ends where something is attached to what follows, as that of a socket does.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let next = self
            .way
            .lock()
            .iter()
            .map(|(at, _)| at.saturating_sub(self.read))
            .find(|&left| left > 0);
        let most = next.map_or(usize::MAX, |left| left as usize);
        let most = most.min(buffer.remaining()).min(READ_BYTES);
        let mut some = ReadBuf::new(buffer.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.bytes).poll_read(cx, &mut some))?;
        let read = some.filled().len();
        buffer.advance(read);
        self.read += read as u64;
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug)]
pub(super) struct MemoryWriteHalf {
    bytes: tokio::io::WriteHalf<DuplexStream>,
    written: u64,
    way: Way,
}

impl FrameSink for MemoryWriteHalf {
    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        attachments: &Attachments,
    ) -> Poll<io::Result<usize>> {
        // Before the bytes, which may be read at once.
        let (way, at) = (self.way.clone(), self.written);
        way.lock().push_back((at, attachments.clone()));
        let written = self.poll_write_vectored(cx, slices);
        if !matches!(written, Poll::Ready(Ok(1..))) {
            way.lock().pop_back();
        }
        written
    }
}

impl AsyncWrite for MemoryWriteHalf {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.bytes).poll_write_vectored(cx, slices))?;
        self.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }
}
