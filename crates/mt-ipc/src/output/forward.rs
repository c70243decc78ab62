//! Passing a worker's standard output or error on to this process's own.
//!
//! Writing there may block for ever, so one thread of the process for each does nothing else. What waits for it
//! is bounded; who finds no room waits for a while, and then drops what it has and counts it.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{
        mpsc::{Receiver, Sender, channel},
        oneshot,
    },
    time::{Instant, timeout, timeout_at},
};

use crate::platform::{self, Output};

/// The pieces that wait to be written, of all workers together. A piece is one read.
const QUEUE_PIECES: usize = 32;
/// How long a worker's output waits for room before it is dropped.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the end of a worker waits for the last of its output to be written.
const LAST_PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// All before this is written when it is answered.
    Mark(oneshot::Sender<()>),
}

/// One worker's way to where this process writes.
#[derive(Debug)]
pub(crate) struct Forward {
    pieces: Sender<Piece>,
    output: Output,
    /// Bytes dropped and not yet told of.
    dropped_bytes: u64,
    /// Whether anything was passed on since the last flush.
    dirty: bool,
    /// Until when the last of it waits, once the worker has ended.
    last_until: Option<Instant>,
}

impl Forward {
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub(crate) fn new(output: Output) -> io::Result<Self> {
        Ok(Self {
            pieces: writer(output)?,
            output,
            dropped_bytes: 0,
            dirty: false,
            last_until: None,
        })
    }

    /// Passes `bytes` on, or drops them in the end; they are empty then. Cancel-safe.
    pub(super) async fn send(&mut self, bytes: &mut Bytes) {
        if bytes.is_empty() {
            return;
        }
        let until = self.last_until.unwrap_or_else(|| match self.dropped_bytes {
            0 => Instant::now() + PATIENCE,
            // While it drops it does not wait: the worker would crawl.
            _ => Instant::now(),
        });
        let Ok(Ok(room)) = timeout_at(until, self.pieces.reserve()).await else {
            self.dropped_bytes += std::mem::take(bytes).len() as u64;
            return;
        };
        let mut piece = std::mem::take(bytes);
        if self.dropped_bytes > 0 {
            let note = note(self.output, std::mem::take(&mut self.dropped_bytes));
            piece = [note.as_bytes(), &piece].concat().into();
        }
        room.send(Piece::Bytes(piece));
        self.dirty = true;
    }

    /// Has what comes from now on wait no longer than the last of a worker's output does.
    pub(super) fn worker_has_ended(&mut self) {
        self.last_until = Some(Instant::now() + LAST_PATIENCE);
    }

    /// Waits until all that was passed on is written, if that does not take long.
    pub(super) async fn flush(&mut self) {
        if self.dropped_bytes > 0 {
            let lost = Bytes::from(note(self.output, std::mem::take(&mut self.dropped_bytes)));
            self.dirty |= self.pieces.try_send(Piece::Bytes(lost)).is_ok();
        }
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let (mark, written) = oneshot::channel();
        let all_written = async {
            if self.pieces.send(Piece::Mark(mark)).await.is_ok() {
                let _ = written.await;
            }
        };
        let _ = timeout(LAST_PATIENCE, all_written).await;
    }
}

fn note(output: Output, lost_bytes: u64) -> String {
    let what = match output {
        Output::Stdout => "standard output",
        Output::Stderr => "standard error",
    };
    format!("\n[mt-ipc: {lost_bytes} bytes of a worker's {what} are lost, nobody took them]\n")
}

/// The queue of the thread that writes, which is started by the first who asks and stays.
fn writer(output: Output) -> io::Result<Sender<Piece>> {
    static TO_STDOUT: Mutex<Option<Sender<Piece>>> = Mutex::new(None);
    static TO_STDERR: Mutex<Option<Sender<Piece>>> = Mutex::new(None);
    let (writer, name) = match output {
        Output::Stdout => (&TO_STDOUT, "mt-stdout"),
        Output::Stderr => (&TO_STDERR, "mt-stderr"),
    };
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pieces) = &*writer {
        return Ok(pieces.clone());
    }
    let (pieces, queue) = channel(QUEUE_PIECES);
    thread::Builder::new()
        .name(name.into())
        .stack_size(128 * 1024)
        .spawn(move || write_all(output, queue))?;
    *writer = Some(pieces.clone());
    Ok(pieces)
}

fn write_all(output: Output, mut queue: Receiver<Piece>) {
    while let Some(piece) = queue.blocking_recv() {
        match piece {
            Piece::Bytes(bytes) => platform::write_to(output, &bytes),
            Piece::Mark(written) => drop(written.send(())),
        }
    }
}
