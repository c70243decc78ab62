//! The worker's side of being started.

use crate::{
    AttachError, Connection, Progress,
    platform::{self, Until},
};

/// The exit code of a worker process that has not done what it was started for, and has said why on its standard error.
pub const NOT_STARTED: i32 = 70;

/// What a worker process starts with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attached {
    /// The worker's end of the connection. Its sending side ends with this process: closing it sends what is
    /// queued, but what the parent sees is the end of the process.
    pub connection: Connection,
    /// Where it counts what it has started and finished.
    pub progress: Progress,
}

/// Takes over the connection this process was started with, closes other descriptors that it has inherited,
/// and starts the guard: a thread that ends this process, with everything below it, when the parent is gone or
/// closes the connection. Nothing the user's code does can hold it up. To be called once, before anything else
/// uses standard input, within a tokio runtime that has IO enabled; [`start_clean`](crate::start_clean) comes
/// before that.
///
/// # Errors
/// [`AttachError`]; the process should exit then.
pub fn attach() -> Result<Attached, AttachError> {
    let (stream, page, parent) = platform::take_over()?;
    let progress = Progress::new(page);
    platform::guard(&stream, parent, progress.clone()).map_err(|source| AttachError::System {
        what: "starting the thread that watches the parent",
        source,
    })?;
    Ok(Attached {
        connection: Connection::over_stream(stream, Until::ProcessEnds),
        progress,
    })
}
