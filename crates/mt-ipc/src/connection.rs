//! A connection before it is opened, and the two things it can be made of.

mod memory;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use mt_proto::{Attachments, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, DuplexStream, ReadBuf};

use self::memory::{MemoryReadHalf, Way, halves};
use crate::{
    FrameReceiver, FrameSender, QueueLimits, Writer,
    attached::{AttachedBatch, attached_files},
    platform::{Stream, StreamReadHalf, StreamWriteHalf, Until},
    sender::{self, FrameSink, WriteHalf},
};

/// Two-way bytes between a parent and one worker.
#[derive(Debug)]
pub struct Connection {
    read: ReadHalf,
    write: WriteHalf,
}

impl Connection {
    /// An end that sends for so long.
    pub(crate) fn over_stream(stream: Stream, until: Until) -> Self {
        let (read, write) = stream.into_split(until);
        Self {
            read: ReadHalf::Stream(read),
            write: Box::pin(write),
        }
    }

    /// Splits the connection into its three parts. The [`Writer`] has to be run for anything to be
    /// sent; nothing is spawned here.
    #[must_use]
    pub fn open(self, limits: Limits, queue: QueueLimits) -> (FrameSender, FrameReceiver, Writer) {
        let (sender, outlet) = sender::lanes(queue);
        (
            sender,
            FrameReceiver::new(self.read, limits),
            Writer::new(self.write, outlet),
        )
    }
}

/// Two connected ends inside this process, each buffering up to `buffer_bytes`. For tests: the
/// contract is the same as that of a real connection.
#[must_use]
pub fn memory(buffer_bytes: usize) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(buffer_bytes);
    let (there, back) = (Way::default(), Way::default());
    let one = end(a, there.clone(), back.clone());
    (one, end(b, back, there))
}

/// An end whose other end is only bytes.
#[cfg(test)]
pub(crate) fn over_memory(stream: DuplexStream) -> Connection {
    end(stream, Way::default(), Way::default())
}

fn end(stream: DuplexStream, out: Way, back: Way) -> Connection {
    let (read, write) = halves(stream, out, back);
    Connection {
        read: ReadHalf::Memory(read),
        write: Box::pin(write),
    }
}

/// What a [`FrameReceiver`] reads from.
#[derive(Debug)]
pub(crate) enum ReadHalf {
    Stream(StreamReadHalf),
    Memory(MemoryReadHalf),
}

impl ReadHalf {
    /// Reads what is there without waiting: `None` when nothing is there now, 0 at the end.
    pub(crate) fn read_now(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Stream(stream) => stream.read_now(into),
            // Unconstrained: a task that has used up its turn would be told that nothing is there.
            Self::Memory(memory) => {
                let read = tokio::task::unconstrained(memory.read(into));
                read.now_or_never().transpose()
            }
        }
    }

    /// Waits until more of what a process has left can be read, which has ended with all that it had started; false when
    /// nothing more comes. Cancel-safe.
    pub(crate) async fn has_more(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.has_more().await,
            Self::Memory(_) => false,
        }
    }

    /// What came with the bytes that were read last.
    #[inline]
    pub(crate) fn take_batch(&mut self) -> Option<AttachedBatch> {
        match self {
            Self::Stream(stream) => stream.take_files().map(AttachedBatch::from),
            Self::Memory(memory) => memory.take_batch(),
        }
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Stream(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Memory(memory) => Pin::new(memory).poll_read(cx, buffer),
        }
    }
}

impl FrameSink for StreamWriteHalf {
    fn poll_write_attached(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        attachments: &Attachments,
    ) -> Poll<io::Result<usize>> {
        let Some(files) = attached_files(attachments) else {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "what is attached is no file");
            return Poll::Ready(Err(error));
        };
        let descriptors: Vec<_> = files.iter().map(|file| file.descriptor()).collect();
        self.poll_write_with(cx, slices, &descriptors)
    }
}
