//! The round trip of a byte between two processes, each with tokio on one thread.

use std::{
    os::unix::net::UnixStream as BlockingStream,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    runtime::Builder,
};

use super::{parent_socket, start_connected};
use crate::{
    measure::{Load, Sample},
    processes::{self, ROUND_TRIP},
};

/// The median time of a byte there and back, as thousand trips a second.
pub fn round_trips(load: Load) -> Result<Sample> {
    let begun = Instant::now();
    let (child, socket) = start_connected(ROUND_TRIP)?;
    let times = with_socket(socket, async |mut socket| {
        let mut times = Vec::with_capacity(load.items as usize);
        for trip in 0..load.total() {
            let asked = Instant::now();
            socket.write_all(&[1]).await?;
            socket.read_exact(&mut [0]).await?;
            let time = asked.elapsed();
            if trip >= load.warm_up {
                times.push(time);
            }
        }
        Ok(times)
    })?;
    processes::end(child)?;
    Ok(Sample::of_median(times, begun, Duration::from_millis(1)))
}

/// Sends every byte that comes on standard input, a socket, back, until the parent closes it.
pub(crate) fn run_child() -> Result<()> {
    with_socket(parent_socket()?, async |mut socket| {
        let mut bytes = [0; 64];
        loop {
            let read = socket.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            socket.write_all(&bytes[..read]).await?;
        }
    })
}

fn with_socket<T>(
    socket: BlockingStream,
    talk: impl AsyncFnOnce(UnixStream) -> Result<T>,
) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        socket.set_nonblocking(true)?;
        talk(UnixStream::from_std(socket)?).await
    })
}
