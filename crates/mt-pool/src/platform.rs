//! What differs between operating systems, behind one set of names.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::StopSignal;
#[cfg(windows)]
pub(crate) use windows::StopSignal;

/// What asks this process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedBy {
    /// Ctrl-C.
    Interrupt,
    /// Whoever ends processes: a service manager, the system.
    Terminate,
}
