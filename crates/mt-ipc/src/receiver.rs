//! The receiving side: takes what is there and decodes all of it.

use std::io;

use bytes::{BufMut, BytesMut};
use mt_proto::{CHUNK_BYTES, Frame, FrameDecoder, Limits};
use tokio::io::AsyncReadExt;

use crate::{RecvError, attached::AttachedBatch, connection::ReadHalf};

/// The size of a receive block. Frames share their block's memory, so a block lives as long as the
/// longest-lived frame in it.
const BLOCK_BYTES: usize = CHUNK_BYTES;

/// A block with less room than this left is replaced. Small, so that a block is used up before.
const MIN_SPARE_BYTES: usize = 16 * 1024;

/// Receives frames.
#[derive(Debug)]
pub struct FrameReceiver {
    io: ReadHalf,
    received: BytesMut,
    decoder: FrameDecoder,
    /// All that has come so far.
    bytes: u64,
}

impl FrameReceiver {
    pub(crate) fn new(io: ReadHalf, limits: Limits) -> Self {
        Self {
            io,
            received: BytesMut::new(),
            decoder: FrameDecoder::new(limits),
            bytes: 0,
        }
    }

    /// The next frame; `None` when the other side has ended the connection between two frames.
    ///
    /// Cancel-safe: bytes that were read are kept.
    ///
    /// # Errors
    /// [`RecvError::Decode`] for bytes that are no frame, [`RecvError::Cut`] when the connection ends
    /// inside a frame, [`RecvError::Io`] otherwise. Nothing more can be received after an error.
    pub async fn recv(&mut self) -> Result<Option<Frame>, RecvError> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.received)? {
                return Ok(Some(frame));
            }
            let n = self.read().await.or_else(reset_is_end)?;
            if n == 0 {
                let is_between = self.received.is_empty() && !self.decoder.is_mid_body();
                return is_between.then_some(None).ok_or(RecvError::Cut);
            }
            self.bytes += n as u64;
            self.take_attachments();
        }
    }

    /// Reads once. A long body is read to where it stays, and between its chunks no more than a header, so that it is not
    /// copied. Cancel-safe.
    async fn read(&mut self) -> io::Result<usize> {
        let mid_body = self.decoder.is_mid_body();
        if let Some((body, left)) = self.decoder.open_body() {
            if body.capacity() - body.len() < left.min(MIN_SPARE_BYTES) {
                body.reserve(left);
            }
            return self.io.read_buf(&mut body.limit(left)).await;
        }
        self.make_room();
        let most = match mid_body {
            true => self.decoder.missing(&self.received),
            false => usize::MAX,
        };
        self.io
            .read_buf(&mut (&mut self.received).limit(most))
            .await
    }

    /// The bytes that have come so far, also those of a frame of which more is to come.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.bytes
    }

    /// A frame that has already arrived in full; `None` when there is none, now or ever. For taking
    /// what a dead process left in the connection, whose end may be held open by somebody else.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), except that an end inside a frame is no error here.
    pub fn recv_now(&mut self) -> Result<Option<Frame>, RecvError> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.received)? {
                return Ok(Some(frame));
            }
            if let None | Some(0) = self.read_now()? {
                return Ok(None);
            }
        }
    }

    /// A frame that a process which has ended has left, with all that it had started; `None` when there is none any more.
    /// Where the system hands bytes over before they are asked for, they are waited for. Cancel-safe.
    ///
    /// # Errors
    /// As [`recv_now`](Self::recv_now).
    pub async fn recv_left(&mut self) -> Result<Option<Frame>, RecvError> {
        loop {
            let frame = self.recv_now()?;
            if frame.is_some() || !self.io.has_more().await {
                return Ok(frame);
            }
        }
    }

    /// Whether something has arrived of which nothing was known: bytes, or the connection's end. What it is can be
    /// received as if nobody had asked.
    pub fn has_arrived(&mut self) -> bool {
        !matches!(self.read_now(), Ok(None))
    }

    /// Takes in what there is; `None` when there is nothing, 0 at the end.
    fn read_now(&mut self) -> io::Result<Option<usize>> {
        let mut block = [0; MIN_SPARE_BYTES];
        let read = self.io.read_now(&mut block);
        let read = read.or_else(|error| reset_is_end(error).map(Some))?;
        let n = read.unwrap_or(0);
        self.bytes += n as u64;
        self.received.extend_from_slice(&block[..n]);
        self.take_attachments();
        Ok(read)
    }

    /// What has come with the bytes that were read last.
    #[inline]
    fn take_attachments(&mut self) {
        if let Some(AttachedBatch { all, cut }) = self.io.take_batch() {
            self.decoder.attach(all, cut);
        }
    }

    /// Ends the connection at once, in both directions. The other side sees it end, and what it had sent can still be
    /// received. For a process that can't be ended otherwise.
    pub fn hang_up(&self) {
        if let ReadHalf::Stream(socket) = &self.io {
            socket.hang_up();
        }
    }

    fn make_room(&mut self) {
        let missing = self.decoder.missing(&self.received);
        let spare = self.received.capacity() - self.received.len();
        if spare < missing.max(MIN_SPARE_BYTES) {
            self.received.reserve(missing.max(BLOCK_BYTES));
        }
    }
}

/// A peer that died with unread bytes in its socket resets the connection; that is an end too.
fn reset_is_end(error: io::Error) -> io::Result<usize> {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(0),
        _ => Err(error),
    }
}
