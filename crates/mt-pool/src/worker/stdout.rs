//! The standard output of this worker, if it is captured.

use std::{io, sync::OnceLock, thread};

use mt_ipc::StdoutCapture;

static CAPTURE: OnceLock<StdoutCapture> = OnceLock::new();

/// What captures the standard output of this worker, if that is asked of it.
pub(crate) fn stdout_capture() -> Option<&'static StdoutCapture> {
    CAPTURE.get()
}

/// Begins to capture, in a thread of its own. The first counts.
pub(super) fn start(capture: Option<StdoutCapture>) -> io::Result<()> {
    let Some(capture) = capture else {
        return Ok(());
    };
    let capture = CAPTURE.get_or_init(|| capture);
    let thread = thread::Builder::new().name("mt-stdout".into());
    thread.spawn(|| capture.read_on()).map(drop)
}
