//! A connection before it is opened, and the two things it can be made of.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use mt_proto::Limits;
use tokio::io::{AsyncRead, AsyncReadExt, DuplexStream, ReadBuf};

use crate::{
    FrameReceiver, FrameSender, QueueLimits, Writer,
    platform::{Stream, StreamReadHalf, Until},
    sender::{self, WriteHalf},
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
    (over_memory(a), over_memory(b))
}

pub(crate) fn over_memory(stream: DuplexStream) -> Connection {
    let (read, write) = tokio::io::split(stream);
    Connection {
        read: ReadHalf::Memory(read),
        write: Box::pin(write),
    }
}

/// What a [`FrameReceiver`] reads from.
#[derive(Debug)]
pub(crate) enum ReadHalf {
    Stream(StreamReadHalf),
    Memory(tokio::io::ReadHalf<DuplexStream>),
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
