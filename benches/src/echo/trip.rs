//! The round trip of a byte between two processes, each with tokio on one thread.

use std::{
    os::{fd::AsFd, unix::net::UnixStream as BlockingStream},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    runtime::{Builder, Runtime},
};

use super::child::TRIP_ARGUMENT;
use crate::measure::{Load, Sample, median_rate};

/// The median time of a byte there and back.
///
/// # Errors
/// When the child does not start or the connection breaks.
pub fn round_trips(load: Load) -> Result<Sample> {
    let begun = Instant::now();
    let (ours, theirs) = BlockingStream::pair().context("failed to make a socket pair")?;
    let program = std::env::current_exe().context("failed to find this program's file")?;
    let mut child = Command::new(program)
        .arg(TRIP_ARGUMENT)
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .spawn()
        .context("failed to start the echo's child")?;
    let times = runtime()?.block_on(async {
        let mut socket = tokio_stream(ours)?;
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
        anyhow::Ok(times)
    })?;
    let status = child
        .wait()
        .context("failed to wait for the echo's child")?;
    ensure!(status.success(), "the echo's child ended with {status}");
    Ok(median_rate(times, begun))
}

/// Sends every byte that comes on standard input, a socket, back, until the parent closes it.
pub(super) fn run_child() -> Result<()> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    runtime()?.block_on(async {
        let mut socket = tokio_stream(BlockingStream::from(socket))?;
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

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_io().build()?)
}

fn tokio_stream(socket: BlockingStream) -> Result<UnixStream> {
    socket.set_nonblocking(true)?;
    Ok(UnixStream::from_std(socket)?)
}
