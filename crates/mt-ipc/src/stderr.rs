//! A worker's standard error: read as it comes, passed on, and its end kept for after a crash.
//!
//! Loop: one task a worker, from its start until [`StderrReader::finish`].
//!
//! The pipe's other end may be held open by anything the worker has started, so its end says nothing:
//! whoever has reaped the worker says when to stop, and what is in the pipe then is all there is.
//!
//! Reading rests for [`REST`] after every piece. A worker that writes without end, in pieces of any
//! size, costs this process a thousand reads a second and no more.

mod forward;
mod tail;

use std::{io, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::platform::{self, StderrPipe};
pub(crate) use forward::Forward;
pub use tail::StderrTail;

/// The most bytes of one read: what a pipe holds on Linux.
const READ_BYTES: usize = 64 * 1024;
/// The pause after every read.
const REST: Duration = Duration::from_millis(1);
/// The most bytes that are taken from a pipe after its worker's end. A pipe can't hold more without
/// privileges, but what a worker has started may still be writing.
const DRAIN_BYTES: usize = 1024 * 1024;

/// Where a worker's standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WorkerStderr {
    /// To this process, which keeps the last [`StderrTail::KEPT_BYTES`] and writes all of it, unchanged,
    /// to its own standard error.
    ///
    /// If that takes nothing for a second (a terminal that is stopped, a pipe nobody reads), what the
    /// worker writes is dropped until it does, and how much that was is written there. So a worker
    /// never waits for it longer than that.
    #[default]
    Forward,
    /// To this process, which keeps the last [`StderrTail::KEPT_BYTES`] and shows nothing.
    Discard,
    /// Straight where this process's goes, a terminal included. Nothing is kept.
    Inherit,
}

/// A worker's standard error, being read. Dropping it ends the reading: the worker gets an error when
/// it writes more.
#[derive(Debug)]
pub struct StderrReader {
    stop: Option<oneshot::Sender<()>>,
    reading: JoinHandle<StderrTail>,
}

impl StderrReader {
    /// Starts to read. Must be called within a runtime.
    pub(crate) fn read(pipe: StderrPipe, forward: Option<Forward>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let reader = Reader {
            pipe,
            forward,
            buffer: Vec::new(),
            tail: StderrTail::default(),
            unsent: Bytes::new(),
            rest_until: Instant::now(),
        };
        Self {
            stop: Some(stop),
            reading: tokio::spawn(reader.run(stopped)),
        }
    }

    /// Ends the reading and returns the last of what was written. To be called when the worker is
    /// reaped: what it had written is in the pipe then, and is passed on before this returns, unless
    /// this process's own standard error takes nothing for a tenth of a second.
    pub async fn finish(mut self) -> StderrTail {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        (&mut self.reading).await.unwrap_or_default()
    }
}

impl Drop for StderrReader {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

struct Reader {
    pipe: StderrPipe,
    forward: Option<Forward>,
    buffer: Vec<u8>,
    tail: StderrTail,
    /// Read, and not passed on yet.
    unsent: Bytes,
    rest_until: Instant,
}

impl Reader {
    async fn run(mut self, stopped: oneshot::Receiver<()>) -> StderrTail {
        tokio::select! {
            // Cancel-safe: what is read and not passed on is in `unsent`.
            () = self.read_on() => unreachable!("it goes on until it is stopped"),
            _ = stopped => {}
        }
        self.drain().await;
        self.tail
    }

    /// Reads until it is dropped.
    async fn read_on(&mut self) {
        loop {
            self.pass_on().await;
            sleep_until(self.rest_until).await;
            let readable = self.pipe.readable().await;
            let try_read = |pipe: &StderrPipe, buffer: &mut [u8]| pipe.try_read(buffer).map(Some);
            match readable.and_then(|()| self.take(try_read)) {
                Ok(Some(0)) => break,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                _ => self.rest_until = Instant::now() + REST,
            }
        }
        // The worker has closed it. Its end is still to come.
        std::future::pending().await
    }

    /// Takes what is left in the pipe, and passes it on.
    async fn drain(&mut self) {
        if let Some(forward) = &mut self.forward {
            forward.worker_has_ended();
        }
        let mut taken = 0;
        while taken < DRAIN_BYTES {
            self.pass_on().await;
            match self.take(platform::read_pipe_now) {
                Ok(Some(n)) if n > 0 => taken += n,
                _ => break,
            }
        }
        self.pass_on().await;
        if let Some(forward) = &mut self.forward {
            forward.flush().await;
        }
    }

    /// Reads once.
    fn take(
        &mut self,
        read: impl FnOnce(&StderrPipe, &mut [u8]) -> io::Result<Option<usize>>,
    ) -> io::Result<Option<usize>> {
        self.buffer.resize(READ_BYTES, 0);
        let read = read(&self.pipe, &mut self.buffer)?;
        let bytes = &self.buffer[..read.unwrap_or(0)];
        self.tail.push(bytes);
        if self.forward.is_some() {
            self.unsent = Bytes::copy_from_slice(bytes);
        }
        Ok(read)
    }

    async fn pass_on(&mut self) {
        if let Some(forward) = &mut self.forward {
            forward.send(&mut self.unsent).await;
        }
    }
}
