//! How processes end: the exit code and the signal of each kind of end.

/// An exit code, and a signal.
pub type End = (Option<i32>, Option<i32>);

/// `abort`, and what comes to it.
pub const ABORT: End = (None, Some(6));
/// A read where no memory is.
pub const SEGFAULT: End = (None, Some(11));
/// A stack that is used up, which the standard library sees and aborts for.
pub const OVERFLOW: End = ABORT;
/// Somebody else's kill.
pub const KILL: End = (None, Some(9));
/// The second Ctrl-C, which nobody takes.
pub const INTERRUPT: End = (None, Some(2));
/// A termination that somebody asks for and nobody takes.
pub const TERMINATE: End = (None, Some(15));

/// How a process has ended.
#[must_use]
pub fn end_of(status: std::process::ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    (status.code(), status.signal())
}
