//! How processes end: the exit code of each kind of end. There are no signals.

/// An exit code, and no signal.
pub type End = (Option<i32>, Option<i32>);

const fn status(code: u32) -> End {
    (Some(code.cast_signed()), None)
}

/// `abort`, and what comes to it.
pub const ABORT: End = status(0xC000_0409);
/// A read where no memory is.
pub const SEGFAULT: End = status(0xC000_0005);
/// A stack that is used up.
pub const OVERFLOW: End = status(0xC000_00FD);
/// Somebody else's kill.
pub const KILL: End = status(137);
/// The second Ctrl-C, which nobody takes.
pub const INTERRUPT: End = status(0xC000_013A);
/// A termination that somebody asks for and nobody takes.
pub const TERMINATE: End = INTERRUPT;

/// How a process has ended.
#[must_use]
pub fn end_of(status: std::process::ExitStatus) -> End {
    (status.code(), None)
}
