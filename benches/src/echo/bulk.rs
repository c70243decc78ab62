//! The bulk echo: bodies through a socket to another process and back, with blocking calls and no codec.

use std::{
    io::{ErrorKind, Read, Write},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, anyhow, ensure};

use super::{parent_socket, start_connected};
use crate::{
    measure::{Load, Sample},
    processes::{self, BULK_ECHO},
};

/// The bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// Sends bodies of so many bytes there and back: gigabytes a second, each way, once the warm-up is over.
pub fn bulk_echo(load: Load, body_bytes: usize) -> Result<Sample> {
    let begun = Instant::now();
    let (child, mut socket) = start_connected(BULK_ECHO)?;
    let mut sending = socket.try_clone().context("failed to share the socket")?;
    let sender = thread::spawn(move || {
        let body = vec![7; body_bytes];
        (0..load.total()).try_for_each(|_| sending.write_all(&body))
    });
    let mut body = vec![0; body_bytes];
    let mut warm = begun;
    for number in 0..load.total() {
        if number == load.warm_up {
            warm = Instant::now();
        }
        socket.read_exact(&mut body).context("the echo ended")?;
        ensure!(body.ends_with(&[7]), "the echo has other values");
    }
    let seconds = warm.elapsed().as_secs_f64();
    let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
    sent.context("failed to send")?;
    drop(socket);
    processes::end(child)?;
    let value = load.items as f64 * body_bytes as f64 / seconds / 1e9;
    Ok(Sample::taken(value, begun.elapsed()))
}

/// Sends what comes on standard input, a socket, back until the parent closes it.
pub(crate) fn run_child() -> Result<()> {
    let mut socket = parent_socket()?;
    let mut bytes = vec![0; READ_BYTES];
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(read) => socket.write_all(&bytes[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("failed to read from the echo's socket"),
        }
    }
}
