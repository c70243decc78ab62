//! The parent of the raw echo.

use std::{
    ops::Range,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use mt_proto::{
    FromWorker, ItemIndex, MAX_RECORD_BYTES, RecordBuffer, Records, Segment, ToWorker,
    decode_strict,
};

use super::{child::CHILD_ARGUMENT, wire::Wire};
use crate::measure::{Load, Pace, Sample};

/// How the items of an echo travel.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Items in one frame.
    pub items_per_frame: u32,
    /// The most frames sent and not yet answered. They, and their answers, must fit the socket's
    /// buffers: with one thread a side, both would wait in a write otherwise.
    pub frames_in_flight: u32,
}

/// Sends a load through a child process and back, and checks it.
///
/// # Errors
/// When the child does not start, the connection breaks, or something else comes back.
pub fn raw_echo(load: Load, shape: Shape) -> Result<Sample> {
    let mut pace = Pace::start(load);
    let mut echo = Echo::start()?;
    let total = load.total();
    let (mut sent, mut in_flight, mut sum) = (0, 0, 0u64);
    while pace.count() < total {
        while in_flight < shape.frames_in_flight && sent < total {
            sent = echo.send_items(sent..total, shape.items_per_frame)?;
            in_flight += 1;
        }
        ensure!(echo.wire.receive()?, "the echo's child went away");
        while let Some(frame) = echo.wire.next_frame()? {
            let FromWorker::Results(results) = FromWorker::from_frame(frame)? else {
                bail!("the echo's child sent something other than results");
            };
            let mut records = Records::new(results.records);
            while let Some(value) = records.next_with(|_, v| decode_strict::<u64>(v))? {
                sum = sum.wrapping_add(value?);
            }
            pace.add(u64::from(results.count));
            in_flight -= 1;
        }
    }
    let sample = pace.finish()?;
    ensure!(sum == load.sum(), "the echo gave back other values");
    echo.end()?;
    Ok(sample)
}

/// A child process that echoes, and this process's end of its socket.
struct Echo {
    child: Child,
    wire: Wire,
    items: RecordBuffer,
}

impl Echo {
    /// Starts the child: this program, whose `main` must ask [`is_echo_child`](super::is_echo_child)
    /// first.
    fn start() -> Result<Self> {
        let (ours, theirs) = UnixStream::pair().context("failed to make a socket pair")?;
        let program = std::env::current_exe().context("failed to find this program's file")?;
        let child = Command::new(program)
            .arg(CHILD_ARGUMENT)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .context("failed to start the echo's child")?;
        Ok(Self {
            child,
            wire: Wire::new(ours),
            items: RecordBuffer::default(),
        })
    }

    /// Sends one frame of at most `most` items, the first of those left; what is left then begins
    /// with the number returned.
    fn send_items(&mut self, left: Range<u64>, most: u32) -> Result<u64> {
        let end = left.end.min(left.start + u64::from(most));
        for item in left.start..end {
            self.items.push(&item, MAX_RECORD_BYTES)?;
        }
        let run = Segment {
            first: ItemIndex(left.start),
            count: self.items.count(),
            records: self.items.take(),
        };
        self.wire.send(ToWorker::Items(run).into_frame())?;
        Ok(end)
    }

    fn end(self) -> Result<()> {
        let Self {
            mut child, wire, ..
        } = self;
        drop(wire);
        let status = child
            .wait()
            .context("failed to wait for the echo's child")?;
        ensure!(status.success(), "the echo's child ended with {status}");
        Ok(())
    }
}
