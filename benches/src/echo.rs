//! The raw echo: two processes, one socket, the pool's own frames and codec, and nothing else.
//!
//! The parent encodes frames of items; the child decodes every item and encodes it as a result; the
//! parent decodes every result. No runtime, no bookkeeping, no second worker: what a pool could reach
//! if all it does beyond that were free. Each side is one thread with blocking calls.
//!
//! [`Shape`] makes other references of it: one item a frame is the echo of single messages; with one
//! frame in flight as well, it is the round trip. [`round_trips`] is the round trip of a single byte through
//! tokio, and [`bare_start`] the start of a process that does nothing.

mod bulk;
mod raw;
mod trip;
mod wire;

use std::{
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Stdio},
};

use anyhow::{Context, Result};

use crate::processes::{self, NOTHING};

pub use bulk::bulk_echo;
pub(crate) use bulk::run_child as run_bulk_child;
pub(crate) use raw::run_child as run_raw_child;
pub use raw::{Shape, raw_echo};
pub use trip::round_trips;
pub(crate) use trip::run_child as run_trip_child;

/// Starts this program, which ends at once, and waits for its exit.
pub fn bare_start() -> Result<()> {
    processes::end(processes::start(NOTHING, Stdio::null())?)
}

/// Starts this program with one end of a socket pair as its standard input.
fn start_connected(purpose: &str) -> Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair().context("failed to make a socket pair")?;
    let child = processes::start(purpose, OwnedFd::from(theirs))?;
    Ok((child, ours))
}

/// The socket that is the standard input.
fn parent_socket() -> Result<UnixStream> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned();
    Ok(socket.context("failed to take the socket over")?.into())
}
