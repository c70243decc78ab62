//! A worker's standard output and error: read as they come, passed on, and the end kept for after a crash.
//!
//! Loop: one task for each that is read of a worker, from its start until [`OutputReader::finish`].
//!
//! The pipe's other end may be held open by anything the worker has started, so its end says nothing:
//! whoever has reaped the worker says when to stop, and what is in the pipe then is all there is.
//!
//! Reading rests for [`REST`] after every piece. A worker that writes without end, in pieces of any
//! size, costs this process a thousand reads a second and no more.

mod capture;
mod forward;
mod lines;
mod tail;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::platform::{self, OutputPipe};
pub(crate) use capture::RING_BYTES;
pub use capture::{CapturedOutput, StdoutCapture};
pub(crate) use forward::Forward;
pub(crate) use lines::Lines;
pub use tail::OutputTail;

/// The most bytes of one read: what a pipe holds on Linux.
const READ_BYTES: usize = 64 * 1024;
/// The pause after every read.
const REST: Duration = Duration::from_millis(1);
/// The most bytes that are taken from a pipe after its worker's end. A pipe can't hold more without
/// privileges, but what a worker has started may still be writing.
const DRAIN_BYTES: usize = 1024 * 1024;

/// Where a worker's standard output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WorkerStdout {
    /// Straight where this process's goes, a terminal included.
    #[default]
    Inherit,
    /// Nowhere.
    Null,
    /// To this process, which writes it, unchanged and by whole lines, to its own standard output, as
    /// [`WorkerStderr::Forward`] does with standard error, with the same patience for whoever does not take it.
    Forward,
    /// The same with the worker's slot before each line: `[3] a line`, so that whoever reads it knows whose it is.
    ForwardNumbered,
    /// To the item that writes it: with its outcome comes what was written while it ran, by Rust code, by C code (`printf`) and
    /// by the programs that it has started. When the worker dies, what it had written is told with that. For runs of plain
    /// functions, whose items run one after the other, for runs of an `async fn` with a `max_concurrency` of 1, and for
    /// calls of plain functions.
    ///
    /// The last 64 KiB of an item are kept ([`KEPT_BYTES`](mt_proto::CapturedStdout::KEPT_BYTES)), because they say how it ended, and how many bytes
    /// were before them; of an item that was tried several times, those of its last try. An item ends when its function
    /// returns: what is written later, by a thread or a program that it leaves behind, goes to the item that runs then, or to
    /// nobody. What is written while no item runs is dropped. A program that keeps what it prints until it exits, as C code
    /// does with a pipe, is to be waited for; in the worker's own process C code writes by lines.
    ///
    /// An item costs about 10 system calls more. Each worker has a thread, `mt-stdout`, that reads what is written, and 80 KiB
    /// of memory for it, which it shares with this process.
    Capture,
}

impl WorkerStdout {
    /// How its lines are passed on by this process, if they are, for the worker in this slot.
    pub(crate) fn lines(self, slot: Option<u32>) -> Option<Lines> {
        match (self, slot) {
            (Self::Inherit | Self::Null | Self::Capture, _) => None,
            (Self::ForwardNumbered, Some(slot)) => Some(Lines::after(format!("[{slot}] "))),
            (Self::Forward | Self::ForwardNumbered, _) => Some(Lines::default()),
        }
    }
}

/// Where a worker's standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WorkerStderr {
    /// To this process, which keeps the last [`OutputTail::KEPT_BYTES`] and writes all of it, unchanged,
    /// to its own standard error.
    ///
    /// A line is written when it has ended, so that lines of several workers are not cut into each other. One without
    /// an end (a prompt) is written after a tenth of a second, or when there are 64 KiB of it.
    ///
    /// If that takes nothing for a second (a terminal that is stopped, a pipe nobody reads), what the
    /// worker writes is dropped until it does, and how much that was is written there. So a worker
    /// never waits for it longer than that.
    #[default]
    Forward,
    /// The same without regard to lines: what was written is written on as it comes, in the pieces it comes in.
    ForwardRaw,
    /// To this process, which keeps the last [`OutputTail::KEPT_BYTES`] and shows nothing.
    Discard,
    /// Straight where this process's goes, a terminal included. Nothing is kept.
    Inherit,
}

/// A worker's standard output or error, being read. Dropping it ends the reading: the worker gets an error when
/// it writes more.
#[derive(Debug)]
pub struct OutputReader {
    stop: Option<oneshot::Sender<()>>,
    source: Arc<Source>,
    reading: JoinHandle<()>,
}

/// What both ends look at.
#[derive(Debug)]
struct Source {
    pipe: OutputPipe,
    /// Held while the pipe is read, so that what was read and what is still in the pipe are seen at one moment. No
    /// read waits.
    tail: Mutex<OutputTail>,
}

impl Source {
    fn tail(&self) -> MutexGuard<'_, OutputTail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputReader {
    /// Starts to read, and passes on if there is a way, by lines or as it comes. Must be called within a runtime.
    pub(crate) fn read(pipe: OutputPipe, forward: Option<Forward>, lines: Option<Lines>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let source = Arc::new(Source {
            pipe,
            tail: Mutex::default(),
        });
        let reader = Reader {
            source: Arc::clone(&source),
            forward,
            buffer: Vec::new(),
            lines,
            unsent: Bytes::new(),
            rest_until: Instant::now(),
        };
        Self {
            stop: Some(stop),
            source,
            reading: tokio::spawn(reader.run(stopped)),
        }
    }

    /// What was written by now is not told by [`finish`](Self::finish) any more: it was said for another owner.
    pub fn start_over(&self) {
        let mut tail = self.source.tail();
        tail.start_over(platform::unread_bytes(&self.source.pipe));
    }

    /// Ends the reading and returns the last of what was written. To be called when the worker is
    /// reaped: what it had written is in the pipe then, and is passed on before this returns, unless
    /// this process's own takes nothing for a tenth of a second.
    pub async fn finish(mut self) -> OutputTail {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = (&mut self.reading).await;
        std::mem::take(&mut *self.source.tail())
    }
}

impl Drop for OutputReader {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

struct Reader {
    source: Arc<Source>,
    forward: Option<Forward>,
    buffer: Vec<u8>,
    /// The line that has not ended, if lines count.
    lines: Option<Lines>,
    /// Read, and not passed on yet.
    unsent: Bytes,
    rest_until: Instant,
}

impl Reader {
    async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            // Cancel-safe: what is read and not passed on is in `unsent` and `lines`.
            () = self.read_on() => unreachable!("it goes on until it is stopped"),
            _ = stopped => {}
        }
        self.drain().await;
    }

    /// Reads until it is dropped.
    async fn read_on(&mut self) {
        let mut open = true;
        loop {
            self.pass_on().await;
            sleep_until(self.rest_until).await;
            let due = self.lines.as_ref().and_then(Lines::due);
            if due.is_some_and(|due| due <= Instant::now()) {
                self.give_up_line();
                continue;
            }
            let source = Arc::clone(&self.source);
            // Both are cancel-safe. The worker may have closed it; its end is still to come.
            let readable = tokio::select! {
                readable = source.pipe.readable(), if open => readable,
                () = until(due) => continue,
            };
            let try_read = |pipe: &OutputPipe, buffer: &mut [u8]| pipe.try_read(buffer).map(Some);
            match readable.and_then(|()| self.take(try_read)) {
                Ok(Some(0)) => open = false,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => open = false,
                _ => self.rest_until = Instant::now() + REST,
            }
        }
    }

    /// Takes what is left in the pipe, and passes it on.
    async fn drain(&mut self) {
        if let Some(forward) = &mut self.forward {
            forward.worker_has_ended();
        }
        let mut taken = 0;
        while taken < DRAIN_BYTES && platform::has_left(&self.source.pipe).await {
            self.pass_on().await;
            match self.take(platform::read_pipe_now) {
                Ok(Some(n)) if n > 0 => taken += n,
                // It is there, and not here yet.
                Ok(None) if platform::READS_ARE_LATE => {}
                _ => break,
            }
        }
        self.pass_on().await;
        self.give_up_line();
        self.pass_on().await;
        if let Some(forward) = &mut self.forward {
            forward.flush().await;
        }
    }

    /// Reads once.
    fn take(
        &mut self,
        read: impl FnOnce(&OutputPipe, &mut [u8]) -> io::Result<Option<usize>>,
    ) -> io::Result<Option<usize>> {
        self.buffer.resize(READ_BYTES, 0);
        let mut tail = self.source.tail();
        let read = read(&self.source.pipe, &mut self.buffer)?;
        let bytes = &self.buffer[..read.unwrap_or(0)];
        tail.push(bytes);
        drop(tail);
        if self.forward.is_some() {
            self.unsent = match &mut self.lines {
                Some(lines) => lines.push(bytes, Instant::now()),
                None => Bytes::copy_from_slice(bytes),
            };
        }
        Ok(read)
    }

    fn give_up_line(&mut self) {
        if let Some(lines) = &mut self.lines {
            self.unsent = lines.take();
        }
    }

    async fn pass_on(&mut self) {
        if let Some(forward) = &mut self.forward {
            forward.send(&mut self.unsent).await;
        }
    }
}

/// Waits until then; for ever without a time. Cancel-safe.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Output;

    /// Case 28: `ForwardRaw` passes on what comes as it comes, and `Forward` keeps the beginning of a line until the
    /// line has ended.
    #[test]
    fn a_line_that_has_not_ended_waits_where_lines_count() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let _inside = runtime.enter();
        let mut command = std::process::Command::new("nobody");
        let source = Arc::new(Source {
            pipe: platform::pipe_for(&mut command, Output::Stderr).unwrap(),
            tail: Mutex::default(),
        });
        for (by_lines, passed_on) in [
            (true, ["", "half a line\n"]),
            (false, ["half a", " line\nand a"]),
        ] {
            let mut reader = Reader {
                source: Arc::clone(&source),
                forward: Some(Forward::new(Output::Stderr).unwrap()),
                buffer: Vec::new(),
                lines: by_lines.then(Lines::default),
                unsent: Bytes::new(),
                rest_until: Instant::now(),
            };
            for (written, expected) in ["half a", " line\nand a"].into_iter().zip(passed_on) {
                let read = |_: &OutputPipe, buffer: &mut [u8]| {
                    buffer[..written.len()].copy_from_slice(written.as_bytes());
                    Ok(Some(written.len()))
                };
                reader.take(read).unwrap();
                assert_eq!(reader.unsent, expected);
            }
        }
    }
}
