//! What is done to other processes, by the names of signals.
#![expect(unsafe_code, reason = "calls that act on processes")]

use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Threading::{PROCESS_SUSPEND_RESUME, PROCESS_TERMINATE, TerminateProcess},
};

use super::{console, ends, process::open};

/// What is done to a process. Only what Windows has in the place of a signal can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// Ctrl-C, in a process that [`itself`](crate::itself) or a [`Scene`](crate::Scene) has started.
    pub const INT: Self = Self(2);
    /// A kill, with the exit code that says so.
    pub const KILL: Self = Self(9);
    /// Ctrl-Break, in a process that [`itself`](crate::itself) or a [`Scene`](crate::Scene) has started.
    pub const TERM: Self = Self(15);
    /// All threads go on.
    pub const CONT: Self = Self(18);
    /// All threads stop.
    pub const STOP: Self = Self(19);

    /// The one with this number.
    #[must_use]
    pub fn from_named_raw(number: i32) -> Option<Self> {
        let all = [Self::INT, Self::KILL, Self::TERM, Self::CONT, Self::STOP];
        all.into_iter().find(|signal| signal.0 == number)
    }
}

#[link(name = "ntdll")]
// SAFETY: these are the declarations of the system's library.
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> i32;
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// Does to a process what a signal does. A process that is gone is left alone.
pub fn signal(pid: u32, signal: Signal) {
    match signal {
        Signal::INT => console::interrupt(pid),
        Signal::TERM => console::terminate(pid),
        Signal::STOP => with(pid, PROCESS_SUSPEND_RESUME, |process| {
            // SAFETY: the handle is there.
            unsafe { NtSuspendProcess(process) };
        }),
        Signal::CONT => with(pid, PROCESS_SUSPEND_RESUME, |process| {
            // SAFETY: the handle is there.
            unsafe { NtResumeProcess(process) };
        }),
        _ => with(pid, PROCESS_TERMINATE, |process| {
            let code = ends::KILL.0.unwrap().cast_unsigned();
            // SAFETY: the handle is there. A process that has ended meanwhile is left alone.
            unsafe { TerminateProcess(process, code) };
        }),
    }
}

fn with(pid: u32, rights: u32, act: impl FnOnce(HANDLE)) {
    if let Some(process) = open(pid, rights) {
        act(process.as_raw_handle());
    }
}
