//! The child of the raw echo.

use std::os::{fd::AsFd, unix::net::UnixStream};

use anyhow::{Context, Result, bail};
use mt_proto::{MAX_RECORD_BYTES, RecordTag, Records, SegmentWriter, ToWorker, decode_strict};

use super::wire::Wire;

/// The only argument of an echo child.
pub(super) const CHILD_ARGUMENT: &str = "raw-echo-child";
/// The same of one that sends back single bytes.
pub(super) const TRIP_ARGUMENT: &str = "round-trip-child";

/// The same of one that does nothing.
pub(super) const EXIT_ARGUMENT: &str = "nothing";

/// Whether this process was started to be an echo child.
#[must_use]
pub fn is_echo_child() -> bool {
    let ours = [CHILD_ARGUMENT, TRIP_ARGUMENT, EXIT_ARGUMENT];
    let first = std::env::args_os().nth(1);
    first.is_some_and(|first| ours.into_iter().any(|argument| first == argument))
}

/// Echoes what comes on standard input, which is a socket, until the parent closes it: a frame of
/// results for every frame of items.
///
/// # Errors
/// When the socket or what comes on it is broken.
pub fn run_child() -> Result<()> {
    match std::env::args_os().nth(1) {
        Some(first) if first == TRIP_ARGUMENT => return super::trip::run_child(),
        Some(first) if first == EXIT_ARGUMENT => return Ok(()),
        _ => {}
    }
    let socket = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .context("failed to take the socket over")?;
    let mut wire = Wire::new(UnixStream::from(socket));
    let mut results = SegmentWriter::new();
    while wire.receive()? {
        while let Some(frame) = wire.next_frame()? {
            let ToWorker::Items(items) = ToWorker::from_frame(frame)? else {
                bail!("the parent sent something other than items");
            };
            let mut index = items.first;
            let mut records = Records::new(items.records);
            while let Some(value) = records.next_with(|_, item| decode_strict::<u64>(item))? {
                results.push(index, RecordTag::Value, &value?, MAX_RECORD_BYTES)?;
                index = index.plus(1);
            }
            wire.send_encoded(&results.take())?;
        }
    }
    Ok(())
}
