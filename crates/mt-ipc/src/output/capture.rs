//! A worker's standard output, captured by item: what is written while an item runs is that item's.
//!
//! Standard output is a pipe that the worker reads itself, so that what was written is there when the item ends. It is
//! read into memory that the parent has too, and what is still in the pipe the parent can read as well: so nothing is lost
//! when the worker dies. That memory is a ring, longer than what is kept of an item by one read; so a read that is not
//! counted yet spoils nothing.
//!
//! Loop: [`StdoutCapture::read_on`], one a worker, in a thread of its own. Without it a call that prints more than a pipe
//! holds would wait for ever.

use std::{
    io::{self, Write},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mt_proto::CapturedStdout;

use super::DRAIN_BYTES;
use crate::{
    Progress,
    platform::{self, CapturedFiles, WritableMemory},
};

const KEPT_BYTES: usize = CapturedStdout::KEPT_BYTES;
/// The most bytes of one read.
const READ_BYTES: usize = 16 * 1024;
/// What is kept of an item, and the read that comes next.
pub(crate) const RING_BYTES: usize = KEPT_BYTES + READ_BYTES;
const _: () = assert!(RING_BYTES.is_multiple_of(READ_BYTES));
/// What the place of a read is filled with before: no byte of any UTF-8 text. A parent that finds the worker dead takes
/// what else is there as read.
const UNREAD: u8 = 0xff;

/// The worker's end.
#[derive(Debug)]
pub struct StdoutCapture {
    files: CapturedFiles,
    progress: Progress,
    ring: Mutex<Ring>,
}

#[derive(Debug)]
struct Ring {
    memory: WritableMemory,
    /// The bytes that were written since the item began.
    total: u64,
}

impl StdoutCapture {
    pub(crate) fn new(files: CapturedFiles, progress: Progress) -> io::Result<Self> {
        platform::write_c_stdout_by_lines();
        let memory = files.map(RING_BYTES)?;
        Ok(Self {
            files,
            progress,
            ring: Mutex::new(Ring { memory, total: 0 }),
        })
    }

    /// Reads until nobody can write any more. For a thread of its own.
    pub fn read_on(&self) {
        while self.files.wait() {
            self.read_some(&mut self.ring());
        }
    }

    /// What is written from now on is item `index`'s; what was before is nobody's.
    pub fn begin(&self, index: u64) {
        flush();
        let mut ring = self.ring();
        self.drain(&mut ring);
        self.start_over(&mut ring);
        self.progress.set_captured_item(Some(index));
    }

    /// What was written since the item began, which ends here.
    #[must_use]
    pub fn end(&self) -> CapturedStdout {
        flush();
        let mut ring = self.ring();
        self.drain(&mut ring);
        let captured = ring.kept();
        self.progress.set_captured_item(None);
        self.start_over(&mut ring);
        captured
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_over(&self, ring: &mut Ring) {
        ring.total = 0;
        self.progress.set_captured(0, false);
    }

    /// Reads what is there. No more than so much: what an item has started may write without end.
    fn drain(&self, ring: &mut Ring) {
        let mut left = DRAIN_BYTES;
        while left > 0
            && let Some(read) = self.read_some(ring)
        {
            left = left.saturating_sub(read);
        }
    }

    fn read_some(&self, ring: &mut Ring) -> Option<usize> {
        let total = ring.total;
        let place = ring.next_place();
        place.fill(UNREAD);
        self.progress.set_captured(total, true);
        let read = self.files.read_now(place);
        ring.total += read.unwrap_or(0) as u64;
        self.progress.set_captured(ring.total, false);
        read
    }
}

impl Ring {
    /// Where the next bytes go, at most one read's.
    fn next_place(&mut self) -> &mut [u8] {
        let at = (self.total % RING_BYTES as u64) as usize;
        let end = (at + READ_BYTES).min(RING_BYTES);
        &mut self.memory[at..end]
    }

    fn kept(&self) -> CapturedStdout {
        kept_in(&self.memory, self.total)
    }
}

/// The end of what was written, so many bytes of which have gone into a ring.
fn kept_in(ring: &[u8], total: u64) -> CapturedStdout {
    let kept = total.min(KEPT_BYTES as u64) as usize;
    let end = (total % RING_BYTES as u64) as usize;
    let mut bytes = Vec::with_capacity(kept);
    if let Some(before) = kept.checked_sub(end) {
        bytes.extend_from_slice(&ring[RING_BYTES - before..]);
        bytes.extend_from_slice(&ring[..end]);
    } else {
        bytes.extend_from_slice(&ring[end - kept..end]);
    }
    CapturedStdout::new(bytes.into(), total - kept as u64)
}

/// Writes what this process's code has printed and is still kept in it.
fn flush() {
    let _ = io::stdout().flush();
    platform::flush_c_stdout();
}

/// The parent's end.
#[derive(Debug)]
pub struct CapturedOutput {
    files: CapturedFiles,
    progress: Progress,
}

impl CapturedOutput {
    pub(crate) fn new(files: CapturedFiles, progress: Progress) -> Self {
        Self { files, progress }
    }

    /// What a worker that is dead has written for the item that it was at, whose index comes with it; `None` when it was at
    /// none, or nothing was written.
    ///
    /// The worker says so, which may have gone mad. Text that was being read as it died may lack bytes of `0xff` at
    /// the end of that, which no UTF-8 has.
    #[must_use]
    pub fn of_dead(self) -> Option<(u64, CapturedStdout)> {
        let index = self.progress.captured_item()?;
        let (mut total, was_reading) = self.progress.captured();
        let mut ring = vec![0; RING_BYTES];
        platform::read_file_at(platform::as_file(&self.files.file), &mut ring).ok()?;
        if was_reading {
            total += uncounted(&ring, total);
        }
        let captured = kept_in(&ring, total);
        let captured = self.with_unread(captured);
        (!captured.is_empty()).then_some((index, captured))
    }

    /// With what is still in the pipe.
    fn with_unread(&self, captured: CapturedStdout) -> CapturedStdout {
        let (mut bytes, mut cut) = (captured.bytes().to_vec(), captured.cut_bytes());
        let (mut piece, mut left) = (vec![0; READ_BYTES], DRAIN_BYTES);
        while left > 0
            && let Some(read) = self.files.read_now(&mut piece)
        {
            left = left.saturating_sub(read);
            bytes.extend_from_slice(&piece[..read]);
            let over = bytes.len().saturating_sub(KEPT_BYTES);
            bytes.drain(..over);
            cut = cut.saturating_add(over as u64);
        }
        CapturedStdout::new(mem::take(&mut bytes).into(), cut)
    }
}

/// How many bytes a read has brought that was not counted any more.
fn uncounted(ring: &[u8], total: u64) -> u64 {
    let at = (total % RING_BYTES as u64) as usize;
    let place = &ring[at..(at + READ_BYTES).min(RING_BYTES)];
    let end = place.iter().rposition(|&byte| byte != UNREAD);
    end.map_or(0, |last| last as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, in a ring as it goes on, with one more read that brings so much and is not counted.
    fn ring_of(written: &[u8], uncounted: &[u8]) -> Vec<u8> {
        let mut ring = vec![0; RING_BYTES];
        for (at, byte) in written.iter().enumerate() {
            ring[at % RING_BYTES] = *byte;
        }
        let at = written.len() % RING_BYTES;
        let place = &mut ring[at..(at + READ_BYTES).min(RING_BYTES)];
        place.fill(UNREAD);
        place[..uncounted.len()].copy_from_slice(uncounted);
        ring
    }

    #[test]
    fn the_last_bytes_are_kept_and_a_read_that_is_not_counted_spoils_none() {
        let all: Vec<u8> = (0..4 * RING_BYTES).map(|n| (n % 251) as u8).collect();
        for total in [
            0,
            1,
            100,
            KEPT_BYTES,
            KEPT_BYTES + 1,
            RING_BYTES,
            3 * RING_BYTES - 7,
        ] {
            let most = READ_BYTES.min(RING_BYTES - total % RING_BYTES);
            for read in [0, 1, most - 1, most] {
                let ring = ring_of(&all[..total], &all[total..total + read]);
                let kept = |total: usize| {
                    let from = total.saturating_sub(KEPT_BYTES);
                    let bytes = all[from..total].to_vec();
                    CapturedStdout::new(bytes.into(), from as u64)
                };
                assert_eq!(kept_in(&ring, total as u64), kept(total), "{total}");
                let with = total + uncounted(&ring, total as u64) as usize;
                assert_eq!(with, total + read);
                assert_eq!(kept_in(&ring, with as u64), kept(with), "{total}, {read}");
            }
        }
    }
}
