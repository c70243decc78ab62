//! The first steps of a worker process, and how it gives way to others.
#![expect(unsafe_code, reason = "calls of the system")]

use std::io;

use windows_sys::Win32::System::{
    Diagnostics::Debug::{
        EXCEPTION_POINTERS, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SEM_NOOPENFILEERRORBOX,
        SetErrorMode, SetUnhandledExceptionFilter,
    },
    Threading::{
        BELOW_NORMAL_PRIORITY_CLASS, GetCurrentProcess, GetPriorityClass, IDLE_PRIORITY_CLASS,
        NORMAL_PRIORITY_CLASS, SetPriorityClass, TerminateProcess,
    },
};

use super::handles::checked;

/// Has a worker process end at once where it crashes: no window asks anybody, and no debugger is started. To be called
/// first, by the thread that starts the others.
pub fn start_clean() {
    // SAFETY: it takes a number.
    unsafe {
        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX)
    };
    // SAFETY: what is called where nobody else takes an exception ends this process, and does nothing else.
    unsafe { SetUnhandledExceptionFilter(Some(end_by)) };
}

/// Ends this process by an exception that nobody has taken.
// SAFETY: only the system calls it, with what it has just filled.
unsafe extern "system" fn end_by(exception: *const EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system gives what it has just filled.
    let code = unsafe { (*(*exception).ExceptionRecord).ExceptionCode };
    // SAFETY: the pseudo handle of this process needs no closing.
    unsafe { TerminateProcess(GetCurrentProcess(), code.cast_unsigned()) };
    0
}

/// The niceness from which on a process runs only where nobody else wants to.
const IDLE: u8 = 10;

/// The niceness of this process, of the few that Windows has: 0, 1 for a priority below the normal, 10 for one that runs only where
/// nobody else wants to. A process that it starts has the same.
#[must_use]
pub fn own_niceness() -> i32 {
    // SAFETY: the pseudo handle of this process needs no closing.
    match unsafe { GetPriorityClass(GetCurrentProcess()) } {
        IDLE_PRIORITY_CLASS => IDLE.into(),
        BELOW_NORMAL_PRIORITY_CLASS => 1,
        _ => 0,
    }
}

/// Sets that of this process.
pub(super) fn set_niceness(niceness: u8) -> io::Result<()> {
    let class = match niceness {
        0 => NORMAL_PRIORITY_CLASS,
        1..IDLE => BELOW_NORMAL_PRIORITY_CLASS,
        IDLE.. => IDLE_PRIORITY_CLASS,
    };
    // SAFETY: the pseudo handle of this process needs no closing.
    checked(unsafe { SetPriorityClass(GetCurrentProcess(), class) })
}
