//! Moves queued frames to the operating system, as many as there are in one call.

use std::{io, io::IoSlice};

use mt_proto::Unit;
use tokio::io::AsyncWriteExt;

use crate::{connection::WriteHalf, sender::Outlet};

/// The most buffers of one vectored write. POSIX lets a system refuse more than 16; all that we run
/// on take 1024.
const MAX_SLICES: usize = 512;

/// Sends what a [`FrameSender`](crate::FrameSender) queues. Has to be run by its owner: as one arm of
/// a loop, or as a task in a `JoinSet`. Dropping it breaks the connection's sending side.
#[derive(Debug)]
pub struct Writer {
    io: WriteHalf,
    outlet: Outlet,
}

impl Writer {
    pub(crate) fn new(io: WriteHalf, outlet: Outlet) -> Self {
        Self { io, outlet }
    }

    /// Sends until the sender is closed and everything is sent; then ends the sending side (a worker's
    /// ends with its process).
    ///
    /// Not cancel-safe: dropping the future in the middle may leave half a frame on the wire.
    ///
    /// # Errors
    /// The connection's error, typically a broken pipe when the other side is gone. Which frames
    /// arrived is unknown then.
    pub async fn run(mut self) -> io::Result<()> {
        let mut units = Vec::new();
        while self.outlet.gather(&mut units).await {
            write_all(&mut self.io, &units).await?;
            units.clear();
        }
        self.io.shutdown().await
    }
}

async fn write_all(io: &mut WriteHalf, units: &[Unit]) -> io::Result<()> {
    for some in units.chunks(MAX_SLICES / 2) {
        let mut all: Vec<IoSlice<'_>> = Vec::with_capacity(2 * some.len());
        for unit in some {
            all.extend([unit.head(), &unit.body].map(IoSlice::new));
        }
        all.retain(|slice| !slice.is_empty());
        let mut left = &mut all[..];
        while !left.is_empty() {
            let n = io.write_vectored(left).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut left, n);
        }
    }
    Ok(())
}
