//! One end of the raw echo's socket: blocking, with buffers that are used again and again.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
};

use anyhow::{Context, Result};
use bytes::BytesMut;
use mt_proto::{Frame, FrameDecoder, Limits};

/// The bytes read at once.
const READ_BYTES: usize = 128 * 1024;

/// A socket and the codec on it.
pub(super) struct Wire {
    socket: UnixStream,
    scratch: Box<[u8]>,
    received: BytesMut,
    decoder: FrameDecoder,
    outgoing: BytesMut,
}

impl Wire {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            scratch: vec![0; READ_BYTES].into(),
            received: BytesMut::with_capacity(2 * READ_BYTES),
            decoder: FrameDecoder::new(Limits::default()),
            outgoing: BytesMut::new(),
        }
    }

    /// Waits for bytes and takes what is there; false at the end of the stream.
    pub(super) fn receive(&mut self) -> Result<bool> {
        loop {
            match self.socket.read(&mut self.scratch) {
                Ok(read) => {
                    self.received.extend_from_slice(&self.scratch[..read]);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("failed to read from the echo's socket"),
            }
        }
    }

    /// The next frame of what was received.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>> {
        Ok(self.decoder.decode(&mut self.received)?)
    }

    /// Writes a frame, in one call.
    pub(super) fn send(&mut self, frame: Frame) -> Result<()> {
        self.outgoing.clear();
        frame.write_to(&mut self.outgoing);
        write_all(&mut self.socket, &self.outgoing)
    }

    /// Writes frames that are encoded already, in one call.
    pub(super) fn send_encoded(&mut self, frames: &[u8]) -> Result<()> {
        write_all(&mut self.socket, frames)
    }
}

fn write_all(socket: &mut UnixStream, bytes: &[u8]) -> Result<()> {
    let written = socket.write_all(bytes);
    written.context("failed to write to the echo's socket")
}
